/* SPDX-License-Identifier: MIT */
/* The pages: search, and a customer's one view. */
#include "base/jsontext.h"
#include "center/api/one_view.h"
#include "center/pages/facts.h"
#include "center/pages/head.h"
#include "center/pages/jumps.h"
#include "center/pages/labels.h"
#include "center/pages/page.h"
#include "center/pages/panel.h"
#include "center/pages/words.h"
#include "records/records.h"

#include <string.h>

enum { FOUND_MAX = 50 };

/* The fields that one may search by, the chosen one marked. */
static json_t *fields_of(const struct call *call, enum search_by chosen)
{
	json_t *fields = json_array();
	for (int i = BY_ALL; i > BY_NONE; i--) {
		enum search_by by = (enum search_by)i;
		const char *name = search_by_name(by);
		json_array_append_new(fields, json_pack("{s:s, s:s, s:b}", "value", name, "label",
		                                        by == BY_ALL ? words(call, "search.any")
		                                                     : label_name(call, name),
		                                        "selected", by == chosen));
	}
	return fields;
}

static bool search(struct call *call, const char *text, enum search_by by, json_t **ret,
                   struct error *err)
{
	struct customers *store = stores_customers(call->stores, err);
	return store && customers_search(store, text, by, FOUND_MAX, ret, err) &&
	       customers_show_suspended(store, *ret, stores_default_zone(call->stores), call->now,
	                                err);
}

/* Where nothing is asked for: the first customers by number. */
static bool first_ones(struct call *call, json_t **ret, struct error *err)
{
	const struct customer_filter filter = {.default_zone = stores_default_zone(call->stores),
	                                       .now = call->now,
	                                       .limit = FOUND_MAX};
	struct customers *store = stores_customers(call->stores, err);
	return store && customer_list(store, &filter, ret, err);
}

static void home(struct call *call)
{
	const char *text = request_value(&call->request->query, "q");
	const char *word = request_value(&call->request->query, "by");
	enum search_by by = BY_ALL;
	struct error err;
	json_t *rows = NULL;
	bool asked = text && *text;
	if (word && !search_by_find(word, &by)) {
		page_fail_status(call, 400, words(call, "search.no_field"));
		return;
	}
	if (asked ? !search(call, text, by, &rows, &err) : !first_ones(call, &rows, &err)) {
		page_fail(call, &err);
		return;
	}
	json_t *row;
	size_t i;
	json_array_foreach(rows, i, row) json_object_set_new(
	        row, "idle", json_boolean(strcmp(jsontext_at(row, "status"), "active") != 0));
	bool none = json_array_size(rows) == 0;
	page_answer(call, 200, "search", words(call, "customers"),
	            json_pack("{s:s, s:o, s:b, s:b, s:o}", "q", text ? text : "", "customers", rows,
	                      "none", asked && none, "has_rows", !none, "fields",
	                      fields_of(call, by)));
}

static void customer(struct call *call)
{
	struct error err;
	json_t *view;
	if (!one_view(call, call->names[0], &view, &err)) {
		page_fail(call, &err);
		return;
	}
	const char *name = jsontext_at(view, "name");
	json_object_set_new(view, "jumps", jumps_of(stores_settings(call->stores), view));
	json_object_set_new(view, "head",
	                    head_of(call, view, json_object_get(view, "suspensions"), ""));
	facts_add(call, view);
	page_answer(call, 200, "customer", arena_strdup(call->request->arena, name), view);
}

const struct route page_routes[] = {
        {ROUTE("GET", "/", ACCESS_READER, home), .query = "q by"},
        {ROUTE("GET", "/customers/:number", ACCESS_READER, customer)},
        {ROUTE("POST", "/panel", ACCESS_READER, panel_toggle)},
        {0},
};
