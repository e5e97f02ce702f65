/* SPDX-License-Identifier: MIT */
/* /api/v1 for records of every kind but the customers: what a kind has follows from its table. */
#include "center/api/records.h"

#include "center/api/answer.h"
#include "center/api/change.h"
#include "center/api/kinds.h"
#include "records/records.h"

#include <string.h>

/* The kind that a part of the path names; NULL with the answer made (404). */
static const struct kind *kind_named(struct call *call, const char *word)
{
	const struct kind *kind = kinds_by_path(word, call->request->arena);
	if (kind == NULL)
		answer_status(call, 404, "there is no such kind of record");
	return kind;
}

/* Whether records of that kind hang on the one that the path names: a customer's contacts, a
 * quote's items. */
static const struct kind *kind_of_owner(struct call *call, const char *word,
                                        const struct kind *owner)
{
	const struct kind *kind = kind_named(call, word);
	const char *name = owner ? owner->name : NULL;
	if (kind == NULL ||
	    (kind->owner && name ? strcmp(kind->owner, name) == 0 : kind->owner == name))
		return kind;
	answer_status(call, 404, "there are no such records here");
	return NULL;
}

static void list(struct call *call, const struct kind *kind, const char *owner)
{
	struct error err;
	struct page page;
	json_t *rows;
	struct customers *store = stores_customers(call->stores, &err);
	if (!answer_page(call, &page))
		return;
	if (store && records_list(store, kind, owner, &rows, &err))
		answer_list(call, kinds_path(kind, call->request->arena), rows, &page);
	else
		answer_fault(call, &err);
}

/* A rep and a system type are named by name, all others by id. */
static const char *name_of(struct call *call, const struct kind *kind, const json_t *values,
                           int64_t id)
{
	const char *name = json_string_value(json_object_get(values, kind->fields[0].name));
	return kind->fields[0].type == FIELD_NAME && name
	               ? arena_strdup(call->request->arena, name)
	               : arena_printf(call->request->arena, "%lld", (long long)id);
}

static void add(struct call *call, const struct kind *kind, const char *owner)
{
	struct error err;
	json_t *values;
	int64_t id = 0;
	if (!answer_values(call, &values))
		return;
	if (center_add(call, kind, owner, values, &id, &err)) {
		const char *name = name_of(call, kind, values, id);
		answer_record(call, 201, kind, name);
	} else {
		answer_values_fault(call, kind, values, NULL, &err);
	}
	json_decref(values);
}

/* -- of a customer, of none, of another record ------------------------------------------------- */

static void list_of_customer(struct call *call)
{
	const struct kind *kind = kind_of_owner(call, call->names[1], kind_find("customer"));
	if (kind)
		list(call, kind, call->names[0]);
}

static void add_to_customer(struct call *call)
{
	const struct kind *kind = kind_of_owner(call, call->names[1], kind_find("customer"));
	if (kind)
		add(call, kind, call->names[0]);
}

static void list_of_none(struct call *call)
{
	const struct kind *kind = kind_of_owner(call, call->names[0], NULL);
	if (kind)
		list(call, kind, NULL);
}

static void add_to_none(struct call *call)
{
	const struct kind *kind = kind_of_owner(call, call->names[0], NULL);
	if (kind)
		add(call, kind, NULL);
}

static void list_of_record(struct call *call)
{
	const struct kind *owner = kind_named(call, call->names[0]);
	const struct kind *kind = owner ? kind_of_owner(call, call->names[2], owner) : NULL;
	if (kind)
		list(call, kind, call->names[1]);
}

static void add_to_record(struct call *call)
{
	const struct kind *owner = kind_named(call, call->names[0]);
	const struct kind *kind = owner ? kind_of_owner(call, call->names[2], owner) : NULL;
	if (kind)
		add(call, kind, call->names[1]);
}

/* -- one --------------------------------------------------------------------------------------- */

static void api_records_show(struct call *call)
{
	const struct kind *kind = kind_named(call, call->names[0]);
	if (kind)
		answer_record(call, 200, kind, call->names[1]);
}

static void api_records_change(struct call *call)
{
	const struct kind *kind = kind_named(call, call->names[0]);
	if (kind)
		answer_change(call, kind, call->names[1]);
}

static void api_records_remove_one(struct call *call)
{
	const struct kind *kind = kind_named(call, call->names[0]);
	if (kind)
		answer_remove(call, kind, call->names[1]);
}

static void api_records_history(struct call *call)
{
	const struct kind *kind = kind_named(call, call->names[0]);
	struct error err;
	json_t *rows = NULL;
	struct customers *store = kind ? stores_customers(call->stores, &err) : NULL;
	if (kind == NULL)
		return;
	bool good = store && record_history(store, kind, call->names[1], &rows, &err);
	answer_history(call, good, rows, &err);
}

const struct route api_record_routes[] = {
        {ROUTE("GET", "/api/v1/customers/:number/:kinds", ACCESS_READER, list_of_customer),
         .query = "limit before"},
        {ROUTE("POST", "/api/v1/customers/:number/:kinds", ACCESS_CLERK, add_to_customer)},
        {ROUTE("GET", "/api/v1/:kinds", ACCESS_READER, list_of_none), .query = "limit before"},
        {ROUTE("POST", "/api/v1/:kinds", ACCESS_CLERK, add_to_none)},
        {ROUTE("GET", "/api/v1/:kinds/:id", ACCESS_READER, api_records_show)},
        {ROUTE("PATCH", "/api/v1/:kinds/:id", ACCESS_CLERK, api_records_change)},
        {ROUTE("DELETE", "/api/v1/:kinds/:id", ACCESS_CLERK, api_records_remove_one)},
        {ROUTE("GET", "/api/v1/:kinds/:id/history", ACCESS_READER, api_records_history),
         .query = "limit before", .summary = "All changes to a record"},
        {ROUTE("GET", "/api/v1/:kinds/:id/:parts", ACCESS_READER, list_of_record),
         .query = "limit before"},
        {ROUTE("POST", "/api/v1/:kinds/:id/:parts", ACCESS_CLERK, add_to_record)},
        {0},
};
