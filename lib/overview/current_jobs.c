/* SPDX-License-Identifier: MIT */
/* All customers' jobs under way and scheduled, by route and time, for the center's /jobs: what the
 * spool says of them, with what the customer's record says. */
#include "overview/current_jobs.h"

#include "base/jsontext.h"
#include "model/job_state.h"
#include "model/suspension.h"
#include "overview/local_times.h"
#include "records/customers.h"
#include "rules/rules.h"
#include "spool/spool_read.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 10000, SHOWN = 1000, DAY_MS = 24 * 60 * 60 * 1000 };

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

/* One that was let through long ago, and never heard of since, isn't expected anymore. */
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

/* -- customers --------------------------------------------------------------------------------- */

/* Those of the jobs that were shown so far, each read once. */
struct known_customers {
	json_t *places;               /* by number: where in `list` */
	const struct customer **list; /* NULL: no such customer is on record */
};

static const struct customer *find_customer(const struct overview *view,
                                            struct known_customers *known, const char *number)
{
	struct error ignored;
	size_t n = json_object_size(known->places);
	const json_t *place = json_object_get(known->places, number);
	if (place != NULL)
		return known->list[json_integer_value(place)];
	if (view->customers == NULL ||
	    !customers_load(view->customers, view->arena, number, &known->list[n], &ignored))
		known->list[n] = NULL;
	json_object_set_new(known->places, number, json_integer((json_int_t)n));
	return known->list[n];
}

/* Whether it may not be driven: now where it is under way, else at the time for which it is
 * planned. */
static bool is_suspended(const struct overview *view, const json_t *job,
                         const struct customer *customer)
{
	struct instant at;
	bool ahead = *jsontext_at(job, "state") == '\0' && time_of(job, "scheduled", &at) &&
	             instant_before(view->now, at);
	return suspension_find(customer, SCOPE_JOBS | SCOPE_ROUTES,
	                       rules_zone(view->settings, view->zones, customer),
	                       ahead ? at : view->now) != NULL;
}

static void add_customer(const struct overview *view, struct known_customers *known, json_t *job)
{
	const struct customer *customer = find_customer(view, known, jsontext_at(job, "customer"));
	if (customer == NULL)
		return;
	json_object_set_new(job, "name", json_string(customer->name));
	json_object_set_new(job, "suspended", json_boolean(is_suspended(view, job, customer)));
	if (strcmp(customer->status, "active") != 0)
		json_object_set_new(job, "idle", json_string(customer->status));
}

/* -- the list ---------------------------------------------------------------------------------- */

struct listed_job {
	json_t *job; /* the rows' */
	const char *route;
	int64_t ms;    /* for when it is scheduled or expected */
	int64_t since; /* its latest event */
};

/* Those without a route last, and within one those without a time, the oldest first. */
static int by_route_and_time(const void *a, const void *b)
{
	const struct listed_job *one = a, *two = b;
	if ((*one->route == '\0') != (*two->route == '\0'))
		return *one->route == '\0' ? 1 : -1;
	int order = strcmp(one->route, two->route);
	if (order == 0)
		order = (one->ms > two->ms) - (one->ms < two->ms);
	return order != 0 ? order : (one->since > two->since) - (one->since < two->since);
}

static struct listed_job listed_job_of(json_t *job)
{
	struct instant at, since;
	bool known = time_of(job, "scheduled", &at) || time_of(job, "eta", &at);
	bool heard = time_of(job, "changed", &since);
	json_object_set_new(job, "stage", json_string(stage_of(job)));
	return (struct listed_job){.job = job,
	                           .route = jsontext_at(job, "route"),
	                           .ms = known ? at.ms : INT64_MAX,
	                           .since = heard ? since.ms : INT64_MAX};
}

/* Those that are expected, in order; in the arena. */
static struct listed_job *in_order(const struct overview *view, json_t *rows, size_t *ret_n)
{
	struct listed_job *entries =
	        arena_new_array(view->arena, json_array_size(rows) + 1, struct listed_job);
	size_t i;
	json_t *row;
	*ret_n = 0;
	json_array_foreach(rows, i, row) if (is_expected(row, view->now)) entries[(*ret_n)++] =
	        listed_job_of(row);
	qsort(entries, *ret_n, sizeof *entries, by_route_and_time);
	return entries;
}

static json_t *routes_of(const struct listed_job *entries, size_t n)
{
	json_t *routes = json_array();
	for (size_t i = 0; i < n; i++)
		if (*entries[i].route != '\0' &&
		    (i == 0 || strcmp(entries[i].route, entries[i - 1].route) != 0))
			json_array_append_new(routes, json_string(entries[i].route));
	return routes;
}

/* By route and state; the day needs the customer's clock. */
static json_t *wanted(const struct listed_job *entries, size_t n,
                      const struct current_filter *filter)
{
	json_t *jobs = json_array();
	for (size_t i = 0; i < n; i++)
		if ((!filter->route || strcmp(entries[i].route, filter->route) == 0) &&
		    (!filter->stage ||
		     strcmp(jsontext_at(entries[i].job, "stage"), filter->stage) == 0))
			json_array_append(jobs, entries[i].job);
	return jobs;
}

/* Those of the day, at most SHOWN, with what is said of each. */
static json_t *shown(const struct overview *view, json_t *jobs, enum current_day day,
                     bool *ret_more)
{
	json_t *job, *list = json_array();
	struct known_customers known = {
	        json_object(), arena_new_array(view->arena, SHOWN, const struct customer *)};
	size_t i;
	*ret_more = false;
	local_rows(view, jobs);
	json_array_foreach(jobs, i, job)
	{
		if (!is_on(view, job, day))
			continue;
		*ret_more = json_array_size(list) == SHOWN;
		if (*ret_more)
			break;
		json_object_set_new(job, "late", json_boolean(is_late(job, view->now)));
		add_customer(view, &known, job);
		json_array_append(list, job);
	}
	json_decref(known.places);
	return list;
}

bool current_jobs(const struct overview *view, struct spool *spool,
                  const struct current_filter *filter, json_t **ret, struct error *err)
{
	json_t *rows;
	size_t n;
	bool more;
	if (!spool_read_current(spool, LOOKED_AT + 1, &rows, err))
		return false;
	bool cut = json_array_size(rows) > LOOKED_AT;
	if (cut)
		json_array_remove(rows, LOOKED_AT);
	struct listed_job *entries = in_order(view, rows, &n);
	json_t *jobs = wanted(entries, n, filter);
	json_t *list = shown(view, jobs, filter->day, &more);
	*ret = json_pack("{s:o, s:o, s:b, s:b}", "jobs", list, "routes", routes_of(entries, n),
	                 "cut", (int)cut, "more", (int)more);
	json_decref(jobs);
	json_decref(rows);
	return true;
}
