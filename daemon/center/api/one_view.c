/* SPDX-License-Identifier: MIT */
/* Puts the one view of a customer together from both databases. */
#include "center/api/one_view.h"

#include "engine/gate_answer.h"
#include "overview/calendar.h"
#include "overview/customer_jobs.h"
#include "records/records.h"
#include "spool/spool_read.h"

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

/* null where the spool can't be read. */
static json_t *jobs_of(struct call *call, const struct overview *overview, const char *number)
{
	struct error ignored;
	json_t *jobs = NULL;
	struct spool *spool = stores_spool(call->stores, &ignored);
	if (spool == NULL || !customer_jobs(overview, spool, number, &jobs, &ignored))
		return json_null();
	if (!spool_read_notices(spool, json_object_get(jobs, "scheduled"), &ignored) ||
	    !spool_read_notices(spool, json_object_get(jobs, "last"), &ignored)) {
		json_decref(jobs);
		return json_null();
	}
	return jobs;
}

/* What the gate would answer now. */
static bool add_gate(const struct overview *overview, const char *number, json_t *view,
                     struct error *err)
{
	static const char *const types[] = {"job.create", "job.dispatch"};
	const struct customer *customer;
	json_t *gate = json_object();
	bool good = customers_load(overview->customers, overview->arena, number, &customer, err);
	for (size_t i = 0; good && i < sizeof types / sizeof *types; i++) {
		json_t *in = json_pack("{s:s, s:s}", "type", types[i], "customer", number);
		json_t *answer = json_object();
		good = gate_answer(overview->settings, overview->zones, overview->arena,
		                   overview->now, customer, in, answer, err);
		json_object_set_new(gate, types[i], answer);
		json_decref(in);
	}
	json_object_set_new(view, "gate", gate);
	return good;
}

/* Whether it is open, by its own clock. */
static bool add_calendar(const struct overview *overview, const char *number, json_t *view,
                         struct error *err)
{
	char text[INSTANT_TEXT_MAX];
	const struct zone *zone;
	json_t *hours = json_object_get(view, "hours");
	if (!calendar_add(overview, number, hours, err) ||
	    !calendar_zone(overview, number, &zone, err))
		return false;
	json_object_set_new(view, "open",
	                    json_pack("{s:O, s:O}", "now", json_object_get(hours, "open"), "next",
	                              json_object_get(hours, "next_open")));
	(void)instant_format(overview->now, zone_offset_s(zone, overview->now), text);
	json_object_set_new(view, "local_now", json_string(text));
	return true;
}

static bool add_records(struct call *call, const struct overview *overview, const char *name,
                        json_t **ret, struct error *err)
{
	json_t *view, *suspensions;
	int64_t version;
	struct customers *store = overview->customers;
	if (!customer_show(store, name, &view, err))
		return false;
	*ret = view;
	const char *number = json_string_value(json_object_get(view, "number"));
	if (!record_version(store, kind_find("customer"), number, &version, err) ||
	    !suspensions_list(store, number, stores_default_zone(call->stores), call->now, false,
	                      &suspensions, err))
		return false;
	json_t *held = holding(suspensions);
	json_object_set_new(view, "version", json_integer(version));
	json_object_set(view, "suspension", held ? held : json_null());
	json_object_set_new(view, "suspensions", suspensions);
	return add_calendar(overview, number, view, err) && add_gate(overview, number, view, err);
}

bool one_view(struct call *call, const char *number, json_t **ret, struct error *err)
{
	struct overview overview;
	json_t *view = NULL;
	if (!call_overview(call, &overview, err) || !customers_begin_read(overview.customers, err))
		return false;
	bool good = add_records(call, &overview, number, &view, err);
	customers_end_read(overview.customers);
	if (!good) {
		json_decref(view);
		return false;
	}
	number = json_string_value(json_object_get(view, "number"));
	json_object_set_new(view, "jobs", jobs_of(call, &overview, number));
	*ret = view;
	return true;
}
