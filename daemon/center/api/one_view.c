/* SPDX-License-Identifier: MIT */
/* Puts the one view of a customer together from both databases. */
#include "center/api/one_view.h"

#include "records/records.h"
#include "spool/spool_read.h"

enum { JOBS_MAX = 10 };

/* The first of those that hold; a borrowed reference. */
static json_t *holding(json_t *suspensions)
{
	size_t i;
	json_t *row;
	json_array_foreach(suspensions, i, row)
	{
		if (json_is_true(json_object_get(row, "holds")))
			return row;
	}
	return NULL;
}

static json_t *jobs_of(struct call *call, const char *number)
{
	struct error ignored;
	json_t *rows = NULL;
	const struct spool_filter filter = {
	        .customer = number, .before = INSTANT_NONE, .limit = JOBS_MAX};
	struct spool *spool = stores_spool(call->stores, &ignored);
	if (spool == NULL || !spool_read_jobs(spool, &filter, &rows, &ignored))
		return json_null();
	return json_pack("{s:o}", "last", rows);
}

bool one_view(struct call *call, const char *number, json_t **ret, struct error *err)
{
	struct customers *store = stores_customers(call->stores, err);
	json_t *view = NULL, *suspensions = NULL;
	int64_t version;
	if (store == NULL || !customer_show(store, number, &view, err) ||
	    !record_version(store, kind_find("customer"), number, &version, err) ||
	    !suspensions_list(store, number, stores_default_zone(call->stores), call->now, false,
	                      &suspensions, err)) {
		json_decref(view);
		return false;
	}
	json_t *held = holding(suspensions);
	json_object_set_new(view, "version", json_integer(version));
	json_object_set(view, "suspension", held ? held : json_null());
	json_object_set_new(view, "suspensions", suspensions);
	json_object_set_new(view, "jobs",
	                    jobs_of(call, json_string_value(json_object_get(view, "number"))));
	*ret = view;
	return true;
}
