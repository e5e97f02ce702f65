/* SPDX-License-Identifier: MIT */
/* All customers' jobs under way and scheduled, by route and time, for the center's /jobs: what the
 * spool says of them, with what the customer's record says. */
#include "overview/current_jobs.h"

#include "base/jsontext.h"
#include "model/job_state.h"
#include "overview/local_times.h"
#include "records/record_find.h"
#include "records/record_suspension.h"
#include "rules/rules.h"
#include "spool/spool_read.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 1000, DAY_MS = 24 * 60 * 60 * 1000 };

static bool time_of(const json_t *job, const char *key, struct instant *ret)
{
	return instant_parse(jsontext_at(job, key), ret);
}

/* Of one without an event, the gate's word says it. */
static const char *stage_of(const json_t *job)
{
	const char *state = jsontext_at(job, "state");
	if (*state != '\0')
		return state;
	return strcmp(jsontext_at(job, "gate"), "held") == 0 ? "held" : "scheduled";
}

static bool is_late(const json_t *job, struct instant now)
{
	struct instant at;
	enum job_state state = job_state_find(jsontext_at(job, "state"));
	bool begun = state == JOB_STARTED || state == JOB_PAUSED;
	return (!begun && time_of(job, "scheduled", &at) && at.ms < now.ms) ||
	       (time_of(job, "eta", &at) && at.ms < now.ms);
}

/* One that was let through long ago, and never heard of since, isn't expected any more. */
static bool is_expected(const json_t *job, struct instant now)
{
	struct instant at;
	if (strcmp(stage_of(job), "scheduled") != 0)
		return true;
	return time_of(job, "scheduled", &at) && at.ms >= now.ms - DAY_MS;
}

static bool is_on(const struct overview *view, const json_t *job, enum current_day day)
{
	struct instant at;
	const struct zone *zone = zone_find(view->zones, jsontext_at(job, "timezone"));
	zone = zone ? zone : zone_host(view->zones);
	return day == CURRENT_ALL ||
	       (time_of(job, "scheduled", &at) &&
	        zone_day(zone, at).n == zone_day(zone, view->now).n + (day == CURRENT_TOMORROW));
}

static bool is_wanted(const struct overview *view, const json_t *job,
                      const struct current_filter *filter)
{
	return (!filter->route || strcmp(jsontext_at(job, "route"), filter->route) == 0) &&
	       (!filter->stage || strcmp(jsontext_at(job, "stage"), filter->stage) == 0) &&
	       is_on(view, job, filter->day);
}

/* -- customers --------------------------------------------------------------------------------- */

/* {name, suspended}; empty where no such customer is on record. */
static json_t *read_customer(const struct overview *view, const char *number)
{
	struct error ignored;
	int64_t id;
	bool suspended = false;
	const struct customer *customer = NULL;
	if (view->customers == NULL ||
	    !customers_load(view->customers, view->arena, number, &customer, &ignored) ||
	    customer == NULL || !customer_id(view->customers, number, &id, &ignored) ||
	    !customer_suspended(view->customers, id,
	                        zone_name(rules_zone(view->settings, view->zones, customer)),
	                        view->now, &suspended, &ignored))
		return json_object();
	return json_pack("{s:s, s:b}", "name", customer->name, "suspended", suspended);
}

static void add_customer(const struct overview *view, json_t *known, json_t *job)
{
	const char *number = jsontext_at(job, "customer");
	json_t *customer = json_object_get(known, number);
	if (customer == NULL) {
		customer = read_customer(view, number);
		json_object_set_new(known, number, customer);
	}
	json_object_update(job, customer);
}

/* -- the list ---------------------------------------------------------------------------------- */

static int64_t ms_of(const json_t *job)
{
	struct instant at;
	return time_of(job, "scheduled", &at) || time_of(job, "eta", &at) ? at.ms : INT64_MAX;
}

/* Those without a route last. */
static int by_route_and_time(const void *a, const void *b)
{
	const json_t *one = *(json_t *const *)a, *two = *(json_t *const *)b;
	const char *route = jsontext_at(one, "route"), *other = jsontext_at(two, "route");
	if ((*route == '\0') != (*other == '\0'))
		return *route == '\0' ? 1 : -1;
	int order = strcmp(route, other);
	int64_t ms = ms_of(one), other_ms = ms_of(two);
	return order != 0 ? order : (ms > other_ms) - (ms < other_ms);
}

/* Of jobs by route. */
static void add_route(json_t *routes, const json_t *job)
{
	size_t n = json_array_size(routes);
	const char *route = jsontext_at(job, "route");
	const char *last = n > 0 ? json_string_value(json_array_get(routes, n - 1)) : "";
	if (strcmp(route, last) != 0 && *route != '\0')
		json_array_append_new(routes, json_string(route));
}

static json_t *listed(const struct overview *view, json_t *rows,
                      const struct current_filter *filter)
{
	size_t n = 0, i;
	json_t *row, *jobs = json_array(), *routes = json_array(), *known = json_object();
	json_t **sorted = arena_new_array(view->arena, json_array_size(rows) + 1, json_t *);
	json_array_foreach(rows, i, row)
	{
		if (!is_expected(row, view->now))
			continue;
		json_object_set_new(row, "stage", json_string(stage_of(row)));
		json_object_set_new(row, "late", json_boolean(is_late(row, view->now)));
		sorted[n++] = row;
	}
	qsort(sorted, n, sizeof *sorted, by_route_and_time);
	for (i = 0; i < n; i++) {
		add_route(routes, sorted[i]);
		if (!is_wanted(view, sorted[i], filter))
			continue;
		add_customer(view, known, sorted[i]);
		json_array_append(jobs, sorted[i]);
	}
	json_decref(known);
	return json_pack("{s:o, s:o}", "jobs", jobs, "routes", routes);
}

bool current_jobs(const struct overview *view, struct spool *spool,
                  const struct current_filter *filter, json_t **ret, struct error *err)
{
	json_t *rows;
	if (!spool_read_current(spool, LOOKED_AT + 1, &rows, err))
		return false;
	bool cut = json_array_size(rows) > LOOKED_AT;
	local_rows(view, rows);
	*ret = listed(view, rows, filter);
	json_object_set_new(*ret, "cut", json_boolean(cut));
	json_decref(rows);
	return true;
}
