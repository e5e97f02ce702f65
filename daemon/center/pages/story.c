/* SPDX-License-Identifier: MIT */
/* A customer's history, and the customers that share something with it. */
#include "base/jsontext.h"
#include "center/pages/cells.h"
#include "center/pages/change_words.h"
#include "center/pages/head.h"
#include "center/pages/page.h"
#include "center/pages/words.h"
#include "records/records.h"

enum { RELATED_MAX = 100 };

static void answer(struct call *call, const char *name, const char *title, json_t *head,
                   json_t *data)
{
	json_object_set(data, "number", json_object_get(head, "number"));
	json_object_set_new(data, "head", head);
	page_answer(call, 200, name, title, data);
}

/* -- history ----------------------------------------------------------------------------------- */

static void page_story_history(struct call *call)
{
	struct error err;
	json_t *head, *customer, *all, *newest = json_array(), *data = json_object(), *row;
	struct customers *store = stores_customers(call->stores, &err);
	if (!head_read(call, call->names[0], "history", &head, &customer))
		return;
	json_decref(customer);
	if (!customer_history(store, call->names[0], &all, &err)) {
		json_decref(head);
		page_fail(call, &err);
		return;
	}
	for (size_t i = json_array_size(all); i-- > 0;)
		json_array_append(newest, json_array_get(all, i));
	cells_page(call, newest, data);
	size_t i;
	json_array_foreach(newest, i, row)
	{
		change_words_add(call, row);
	}
	json_decref(all);
	json_object_set_new(data, "rows", newest);
	answer(call, "history", words(call, "tab.history"), head, data);
}

/* -- related ----------------------------------------------------------------------------------- */

static void page_story_related(struct call *call)
{
	struct error err;
	json_t *head, *customer, *rows, *data;
	struct customers *store = stores_customers(call->stores, &err);
	if (!head_read(call, call->names[0], "related", &head, &customer))
		return;
	if (!customers_related(store, call->names[0], RELATED_MAX, &rows, &err)) {
		json_decref(customer);
		json_decref(head);
		page_fail(call, &err);
		return;
	}
	data = json_pack("{s:o, s:O}", "rows", rows, "sites", json_object_get(customer, "sites"));
	json_object_set_new(data, "has_sites",
	                    json_boolean(json_array_size(json_object_get(data, "sites")) > 0));
	json_decref(customer);
	answer(call, "related", words(call, "tab.related"), head, data);
}

const struct route story_page_routes[] = {
        {ROUTE("GET", "/customers/:number/history", ACCESS_READER, page_story_history),
         .query = "from"},
        {ROUTE("GET", "/customers/:number/related", ACCESS_READER, page_story_related)},
        {0},
};
