/* SPDX-License-Identifier: MIT */
/* A customer's history, and the customers that share something with it. */
#include "base/jsontext.h"
#include "center/pages/cells.h"
#include "center/pages/head.h"
#include "center/pages/labels.h"
#include "center/pages/page.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <string.h>

enum { RELATED_MAX = 100 };

static void answer(struct call *call, const char *name, const char *title, json_t *head,
                   json_t *data)
{
	json_object_set(data, "number", json_object_get(head, "number"));
	json_object_set_new(data, "head", head);
	page_answer(call, 200, name, title, data);
}

/* -- history ----------------------------------------------------------------------------------- */

/* Who and when are given for the change as a whole; a flag that isn't set, or a part of the hours
 * that is as it was, says nothing. */
static bool says_nothing(const char *name, const json_t *was, const json_t *is)
{
	return strcmp(name, "author") == 0 || strcmp(name, "created") == 0 ||
	       (was == NULL && json_is_false(is)) || (was && is && json_equal(was, is));
}

static void add_field(const struct call *call, json_t *fields, const char *name, const json_t *was,
                      const json_t *is)
{
	const char *before = cells_text(call, was), *after = cells_text(call, is);
	if ((before || after) && !says_nothing(name, was, is))
		json_array_append_new(fields,
		                      json_pack("{s:s, s:s, s:s}", "label", label_name(call, name),
		                                "was", before ? before : "", "is",
		                                after ? after : words(call, "nothing")));
}

/* "title: boss → owner". */
static json_t *fields_of(const struct call *call, const json_t *row)
{
	json_t *before = json_object_get(row, "before"), *after = json_object_get(row, "after");
	json_t *fields = json_array(), *value;
	const char *name;
	json_object_foreach(after, name, value)
	{
		add_field(call, fields, name, json_object_get(before, name), value);
	}
	json_object_foreach(before, name, value)
	{
		if (json_object_get(after, name) == NULL)
			add_field(call, fields, name, value, NULL);
	}
	return fields;
}

/* As English has it: "added". */
static const char *done(const struct call *call, const char *action)
{
	size_t len = strlen(action);
	if (strcmp(action, "set") == 0)
		return "changed";
	return arena_printf(call->request->arena, "%s%s", action,
	                    len > 0 && action[len - 1] == 'e' ? "d" : "ed");
}

/* "added contact". */
static const char *did(const struct call *call, const json_t *row)
{
	const char *action = jsontext_at(row, "action"), *name = jsontext_at(row, "kind");
	const char *key = arena_printf(call->request->arena, "did.%s", action);
	const char *kind = words_find(call, "kind", name);
	return words_fill(
	        call, words_template(call, key) ? key : "did",
	        json_pack("{s:s, s:s}", "kind", kind ? kind : name, "action", done(call, action)));
}

static void history(struct call *call)
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
		json_object_set_new(row, "fields", fields_of(call, row));
		json_object_set_new(row, "did", json_string(did(call, row)));
	}
	json_decref(all);
	json_object_set_new(data, "rows", newest);
	answer(call, "history", words(call, "tab.history"), head, data);
}

/* -- related ----------------------------------------------------------------------------------- */

static void related(struct call *call)
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
        {ROUTE("GET", "/customers/:number/history", ACCESS_READER, history), .query = "from"},
        {ROUTE("GET", "/customers/:number/related", ACCESS_READER, related)},
        {0},
};
