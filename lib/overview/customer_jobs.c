/* SPDX-License-Identifier: MIT */
/* A customer's jobs for its page: scheduled, held, and latest ones. */
#include "overview/customer_jobs.h"

#include "base/jsontext.h"
#include "model/job_state.h"
#include "overview/local_times.h"
#include "spool/spool_read.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 1000, LAST = 10 };

static bool has_ended(const json_t *job)
{
	enum job_state state = job_state_find(jsontext_at(job, "state"));
	return job_state_row(state)->is_end;
}

/* For today or later, by the customer's time zone. */
static bool is_to_come(const struct overview *view, const json_t *job)
{
	struct instant at;
	const struct zone *zone = zone_find(view->zones, jsontext_at(job, "timezone"));
	zone = zone ? zone : zone_host(view->zones);
	return !has_ended(job) && instant_parse(jsontext_at(job, "scheduled"), &at) &&
	       zone_day(zone, at).n >= zone_day(zone, view->now).n;
}

static int64_t ms_of(const json_t *job, const char *key)
{
	struct instant at;
	return instant_parse(jsontext_at(job, key), &at) ? at.ms : INT64_MIN;
}

static int by_schedule(const void *a, const void *b)
{
	int64_t one = ms_of(*(json_t *const *)a, "scheduled"),
	        two = ms_of(*(json_t *const *)b, "scheduled");
	return (one > two) - (one < two);
}

static int by_change(const void *a, const void *b)
{
	int64_t one = ms_of(*(json_t *const *)a, "changed"),
	        two = ms_of(*(json_t *const *)b, "changed");
	return (one < two) - (one > two);
}

typedef int order_fn(const void *a, const void *b);

/* A list of at most `most` of the jobs in that order. */
static json_t *sorted(json_t **jobs, size_t n, size_t most, order_fn *order)
{
	json_t *list = json_array();
	qsort(jobs, n, sizeof *jobs, order);
	for (size_t i = 0; i < n && i < most; i++)
		json_array_append(list, jobs[i]);
	return list;
}

static void divide(const struct overview *view, const json_t *rows, json_t *ret)
{
	size_t n = json_array_size(rows), coming = 0, changed = 0, i;
	json_t **to_come = arena_new_array(view->arena, n + 1, json_t *), *row;
	json_t **past = arena_new_array(view->arena, n + 1, json_t *);
	json_array_foreach(rows, i, row)
	{
		if (is_to_come(view, row))
			to_come[coming++] = row;
		if (*jsontext_at(row, "changed") != '\0')
			past[changed++] = row;
	}
	json_object_set_new(ret, "scheduled", sorted(to_come, coming, SIZE_MAX, by_schedule));
	json_object_set_new(ret, "last", sorted(past, changed, LAST, by_change));
}

static json_t *held_of(const json_t *held, const char *number)
{
	json_t *own = json_array(), *row;
	size_t i;
	json_array_foreach(held, i, row)
	{
		if (strcmp(jsontext_at(row, "customer"), number) == 0)
			json_array_append(own, row);
	}
	return own;
}

bool customer_jobs(const struct overview *view, struct spool *spool, const char *number,
                   json_t **ret, struct error *err)
{
	json_t *rows = NULL, *held = NULL;
	const struct spool_filter filter = {
	        .customer = number, .before = INSTANT_NONE, .limit = LOOKED_AT};
	bool ok = spool_read_jobs(spool, &filter, &rows, err) && spool_read_held(spool, &held, err);
	if (ok) {
		*ret = json_object();
		local_members(view, rows, number);
		divide(view, rows, *ret);
		json_t *own = held_of(held, number);
		local_members(view, own, number);
		json_object_set_new(*ret, "held", own);
	}
	json_decref(rows);
	json_decref(held);
	return ok;
}
