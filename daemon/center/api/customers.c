/* SPDX-License-Identifier: MIT */
/* /api/v1/customers: finding, the one view, changing, and what belongs to a customer but isn't a
 * record of a kind. */
#include "base/jsontext.h"
#include "center/api/answer.h"
#include "center/api/one_view.h"
#include "center/api/records.h"
#include "model/words.h"
#include "overview/calendar.h"
#include "overview/reachable.h"
#include "overview/suspension_preview.h"
#include "records/records.h"

#include <string.h>
#include <sysexits.h>

enum { RELATED_MAX = 200 };

static const struct kind *customer_kind(void)
{
	return kind_find("customer");
}

/* What a record function gave, or its fault. */
static void answer_with(struct call *call, bool good, json_t *value, const struct error *err)
{
	if (good)
		response_json(call->response, 200, value);
	else
		answer_fault(call, err);
}

/* -- finding ----------------------------------------------------------------------------------- */

static bool search(struct call *call, struct customers *store, const char *text, int limit,
                   json_t **ret, struct error *err)
{
	const char *word = request_value(&call->request->query, "by");
	enum search_by by = BY_ALL;
	if (word && !search_by_find(word, &by))
		return error_set(err, EX_DATAERR, "by: no field is called \"%.40s\"", word);
	return customers_search(store, text, by, limit, ret, err) &&
	       customers_show_suspended(store, *ret, stores_default_zone(call->stores), call->now,
	                                err);
}

#define FILTERS "status rep parent city suspended after"

static const char *asked(const struct call *call, const char *name)
{
	const char *text = request_value(&call->request->query, name);
	return text && *text != '\0' ? text : NULL;
}

/* A search has an order of its own, so that it is neither filtered nor continued. False with the
 * answer made. */
static bool filter_of(struct call *call, const char *text, struct customer_filter *ret)
{
	*ret = (struct customer_filter){.status = asked(call, "status"),
	                                .rep = asked(call, "rep"),
	                                .parent = asked(call, "parent"),
	                                .city = asked(call, "city"),
	                                .suspended = asked(call, "suspended") != NULL,
	                                .after = asked(call, "after"),
	                                .default_zone = stores_default_zone(call->stores),
	                                .now = call->now};
	bool filtered =
	        ret->status || ret->rep || ret->parent || ret->city || ret->suspended || ret->after;
	if (text && filtered)
		response_problem(call->response, 400, "q can't be given with " FILTERS);
	else if (ret->suspended && strcmp(asked(call, "suspended"), "true") != 0)
		response_problem(call->response, 400, "suspended: expected true");
	else
		return true;
	return false;
}

/* One more than requested shows whether there are more. */
static void find(struct call *call)
{
	const char *text = asked(call, "q");
	struct customer_filter filter;
	struct page page;
	struct error err;
	json_t *rows = NULL;
	struct customers *store = stores_customers(call->stores, &err);
	if (!answer_page(call, &page) || !filter_of(call, text, &filter))
		return;
	filter.limit = page.limit + 1;
	bool good = store && (text ? search(call, store, text, (int)page.limit + 1, &rows, &err)
	                           : customer_list(store, &filter, &rows, &err));
	if (!good) {
		answer_fault(call, &err);
		return;
	}
	answer_piece(call, "customers", rows, &page);
}

/* -- one --------------------------------------------------------------------------------------- */

/* null where the spool or the records can't be read for a moment. */
static json_t *reachable_of(struct call *call, const char *number)
{
	struct error ignored;
	struct overview overview;
	json_t *rows;
	struct spool *spool = stores_spool(call->stores, &ignored);
	return call_overview(call, &overview, &ignored) &&
	                       reachable(&overview, spool, number, &rows, &ignored)
	               ? rows
	               : json_null();
}

static void answer_one(struct call *call, int status, const char *number)
{
	struct error err;
	json_t *view;
	if (!one_view(call, number, &view, &err)) {
		answer_fault(call, &err);
		return;
	}
	answer_etag(call, json_integer_value(json_object_get(view, "version")));
	json_object_set_new(view, "reachable", reachable_of(call, jsontext_at(view, "number")));
	response_json(call->response, status, view);
}

static void api_customers_show(struct call *call)
{
	answer_one(call, 200, call->names[0]);
}

static void api_customers_add(struct call *call)
{
	struct change_context context;
	struct error err;
	json_t *values;
	if (!answer_values(call, &values))
		return;
	if (call_context(call, &context, &err) &&
	    records_add(&context, customer_kind(), NULL, values, NULL, &err))
		answer_one(call, 201, json_string_value(json_object_get(values, "number")));
	else
		answer_values_fault(call, customer_kind(), values, NULL, &err);
	json_decref(values);
}

static void api_customers_change(struct call *call)
{
	answer_change(call, customer_kind(), call->names[0]);
}

static void api_customers_remove_one(struct call *call)
{
	answer_remove(call, customer_kind(), call->names[0]);
}

static void move(struct call *call, const char *verb)
{
	struct change_context context;
	struct error err;
	if (call_context(call, &context, &err) &&
	    customer_move(&context, call->names[0], verb, &err))
		answer_one(call, 200, call->names[0]);
	else if (response_status_of(&err) == 422)
		answer_status(call, 409, err.text);
	else
		answer_fault(call, &err);
}

static void api_customers_release(struct call *call)
{
	move(call, "release");
}

static void approve(struct call *call)
{
	move(call, "approve");
}

static void decline(struct call *call)
{
	move(call, "decline");
}

static void deactivate(struct call *call)
{
	move(call, "deactivate");
}

/* -- what hangs on it -------------------------------------------------------------------------- */

static void api_customers_history(struct call *call)
{
	struct error err;
	json_t *rows = NULL;
	struct customers *store = stores_customers(call->stores, &err);
	bool good = store && customer_history(store, call->names[0], &rows, &err);
	answer_history(call, good, rows, &err);
}

static void api_customers_related(struct call *call)
{
	struct error err;
	json_t *rows = NULL;
	struct customers *store = stores_customers(call->stores, &err);
	bool good = store && customers_related(store, call->names[0], RELATED_MAX, &rows, &err);
	answer_with(call, good, good ? json_pack("{s:o, s:b}", "related", rows, "more", 0) : NULL,
	            &err);
}

/* As `hours show` has them, with the version of the hours. */
static void answer_hours(struct call *call)
{
	struct overview overview;
	struct error err;
	json_t *hours = NULL;
	int64_t version;
	const char *number = call->names[0];
	if (!call_overview(call, &overview, &err) ||
	    !hours_version(overview.customers, number, &version, &err) ||
	    !hours_show(overview.customers, number, &hours, &err) ||
	    !calendar_add(&overview, number, hours, &err)) {
		json_decref(hours);
		answer_fault(call, &err);
		return;
	}
	json_object_set_new(hours, "version", json_integer(version));
	answer_etag(call, version);
	response_json(call->response, 200, hours);
}

static void put_hours(struct call *call)
{
	struct change_context context;
	struct expected expected;
	struct error err;
	json_t *values;
	if (!answer_expected(call, &expected) || !answer_values(call, &values))
		return;
	bool good = call_context(call, &context, &err);
	context.expected = &expected;
	if (good && hours_replace(&context, call->names[0], values, &err))
		answer_hours(call);
	else if (expected.conflicts)
		answer_conflicts(call, &expected);
	else
		answer_fault(call, &err);
	json_decref(values);
}

/* -- what a suspension would do ---------------------------------------------------------------- */

static bool read_day(struct call *call, const char *name, struct day *ret)
{
	const char *text = request_value(&call->request->query, name);
	if (text == NULL || *text == '\0' || day_parse(text, ret))
		return true;
	answer_status(call, 400,
	              arena_printf(call->request->arena, "%s: expected a day (YYYY-MM-DD)", name));
	return false;
}

static bool read_planned(struct call *call, const struct overview *overview, struct suspension *ret,
                         struct error *err)
{
	const char *scopes = request_value(&call->request->query, "scopes");
	const struct zone *zone;
	*ret = (struct suspension){.scopes = SCOPE_ALL, .until = DAY_NONE};
	if (!calendar_zone(overview, call->names[0], &zone, err)) {
		call_fail(call, err);
		return false;
	}
	ret->from = zone_day(zone, overview->now);
	if (scopes && *scopes && !scopes_parse(scopes, &ret->scopes)) {
		answer_status(call, 400, "scopes: expected one or more of jobs, routes, emails");
		return false;
	}
	return read_day(call, "from", &ret->from) && read_day(call, "until", &ret->until);
}

static void api_customers_preview(struct call *call)
{
	struct overview overview;
	struct suspension planned;
	struct error err;
	json_t *counts = NULL;
	if (!call_overview(call, &overview, &err)) {
		call_fail(call, &err);
		return;
	}
	if (!read_planned(call, &overview, &planned, &err))
		return;
	struct spool *spool = stores_spool(call->stores, &err);
	bool good = spool &&
	            suspension_preview(&overview, spool, call->names[0], &planned, &counts, &err);
	answer_with(call, good, counts, &err);
}

static void link_rep(struct call *call)
{
	struct change_context context;
	struct error err;
	if (call_context(call, &context, &err) &&
	    rep_link(&context, call->names[0], call->names[1], false, &err))
		call->response->status = 204;
	else
		answer_fault(call, &err);
}

static void unlink_rep(struct call *call)
{
	struct change_context context;
	struct error err;
	if (call_context(call, &context, &err) &&
	    rep_unlink(&context, call->names[0], call->names[1], &err))
		call->response->status = 204;
	else
		answer_fault(call, &err);
}

#define ONE "/api/v1/customers/:number"

const struct route api_customer_routes[] = {
        {ROUTE("GET", "/api/v1/customers", ACCESS_READER, find), .query = "q by limit " FILTERS},
        {ROUTE("POST", "/api/v1/customers", ACCESS_CLERK, api_customers_add)},
        {ROUTE("GET", ONE, ACCESS_READER, api_customers_show)},
        {ROUTE("PATCH", ONE, ACCESS_CLERK, api_customers_change)},
        {ROUTE("DELETE", ONE, ACCESS_CLERK, api_customers_remove_one)},
        {ROUTE("POST", ONE "/release", ACCESS_CLERK, api_customers_release),
         .summary = "Release a new customer"},
        {ROUTE("POST", ONE "/approve", ACCESS_MANAGER, approve),
         .summary = "Approve a released customer"},
        {ROUTE("POST", ONE "/decline", ACCESS_MANAGER, decline),
         .summary = "Decline a released customer"},
        {ROUTE("POST", ONE "/deactivate", ACCESS_MANAGER, deactivate),
         .summary = "Deactivate a customer"},
        {ROUTE("GET", ONE "/history", ACCESS_READER, api_customers_history),
         .query = "limit before", .summary = "All changes to a customer and its records"},
        {ROUTE("GET", ONE "/related", ACCESS_READER, api_customers_related),
         .summary = "Customers that share something with it"},
        {ROUTE("GET", ONE "/hours", ACCESS_READER, answer_hours),
         .summary = "Service hours, own and inherited"},
        {ROUTE("PUT", ONE "/hours", ACCESS_CLERK, put_hours),
         .summary = "Replace the service hours"},
        {ROUTE("GET", ONE "/suspensions/preview", ACCESS_READER, api_customers_preview),
         .query = "from until scopes", .summary = "What a suspension would do"},
        {ROUTE("PUT", ONE "/reps/:name", ACCESS_CLERK, link_rep), .summary = "Link a sales rep"},
        {ROUTE("DELETE", ONE "/reps/:name", ACCESS_CLERK, unlink_rep),
         .summary = "Unlink a sales rep"},
        {0},
};
