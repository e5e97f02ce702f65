/* SPDX-License-Identifier: MIT */
/* The pages: search, and a customer's one view. */
#include "center/api/one_view.h"
#include "center/pages/jumps.h"
#include "center/pages/page.h"
#include "records/records.h"

enum { FOUND_MAX = 50 };

static void home(struct call *call)
{
	const char *text = request_value(&call->request->query, "q");
	struct error err;
	json_t *rows = NULL;
	struct customers *store = stores_customers(call->stores, &err);
	if (text && *text &&
	    (store == NULL || !customers_search(store, text, BY_ALL, FOUND_MAX, &rows, &err) ||
	     !customers_show_suspended(store, rows, stores_default_zone(call->stores), call->now,
	                               &err))) {
		page_fail(call, &err);
		return;
	}
	bool none = rows && json_array_size(rows) == 0;
	page_answer(call, 200, "search", "Customers",
	            json_pack("{s:s, s:o, s:b}", "q", text ? text : "", "customers",
	                      rows ? rows : json_array(), "none", none));
}

static void customer(struct call *call)
{
	struct error err;
	json_t *view;
	if (!one_view(call, call->names[0], &view, &err)) {
		page_fail(call, &err);
		return;
	}
	const char *name = json_string_value(json_object_get(view, "name"));
	json_object_set_new(view, "jumps", jumps_of(stores_settings(call->stores), view));
	page_answer(call, 200, "customer", arena_strdup(call->request->arena, name), view);
}

const struct route page_routes[] = {
        {ROUTE("GET", "/", ACCESS_READER, home), .query = "q"},
        {ROUTE("GET", "/customers/:number", ACCESS_READER, customer)},
        {0},
};
