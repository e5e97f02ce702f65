/* SPDX-License-Identifier: MIT */
/* A customer's jobs for its page: scheduled, held, and latest ones. */
#include "dispatchctl/nouns/customer_jobs.h"

#include "dispatchctl/nouns/local.h"
#include "dispatchctl/nouns/spool.h"
#include "model/words.h"
#include "spool/spool_read.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 1000, LAST = 10 };

static bool has_ended(const json_t *job)
{
	enum job_state state = job_state_find(table_text(job, "state"));
	return job_state_row(state)->is_end;
}

/* For today or later, by the customer's time zone. */
static bool is_to_come(struct ctl *ctl, const json_t *job)
{
	struct instant at;
	const struct zone *zone = zone_find(ctl->zones, table_text(job, "timezone"));
	zone = zone ? zone : zone_host(ctl->zones);
	return !has_ended(job) && instant_parse(table_text(job, "scheduled"), &at) &&
	       zone_day(zone, at).n >= zone_day(zone, ctl->now).n;
}

static int64_t ms_of(const json_t *job, const char *key)
{
	struct instant at;
	return instant_parse(table_text(job, key), &at) ? at.ms : INT64_MIN;
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

static void divide(struct ctl *ctl, const json_t *rows, json_t *ret)
{
	size_t n = json_array_size(rows), coming = 0, changed = 0, i;
	json_t **to_come = arena_new_array(ctl->arena, n + 1, json_t *), *row;
	json_t **past = arena_new_array(ctl->arena, n + 1, json_t *);
	json_array_foreach(rows, i, row)
	{
		if (is_to_come(ctl, row))
			to_come[coming++] = row;
		if (*table_text(row, "changed") != '\0')
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
		if (strcmp(table_text(row, "customer"), number) == 0)
			json_array_append(own, row);
	}
	return own;
}

json_t *customer_jobs(struct ctl *ctl, const char *number)
{
	struct error ignored = {0};
	json_t *rows = NULL, *held = NULL, *jobs = json_null();
	const struct spool_filter filter = {
	        .customer = number, .before = INSTANT_NONE, .limit = LOOKED_AT};
	struct spool *spool = spool_view(ctl, &ignored);
	if (spool != NULL && spool_read_jobs(spool, &filter, &rows, &ignored) &&
	    spool_read_held(spool, &held, &ignored)) {
		jobs = json_object();
		local_members(ctl, rows, number);
		divide(ctl, rows, jobs);
		json_t *own = held_of(held, number);
		local_members(ctl, own, number);
		json_object_set_new(jobs, "held", own);
	}
	spool_close(spool);
	json_decref(rows);
	json_decref(held);
	return jobs;
}

void customer_jobs_view(struct ctl *ctl, const json_t *jobs)
{
	static const struct column columns[] = {
	        {.key = "job", .title = "Job"},
	        {.key = "state", .title = "State", .style = STYLE_WORD},
	        {.key = "scheduled", .title = "Scheduled", .style = STYLE_TIME},
	        {.key = "local.scheduled", .title = "There", .min = 10},
	        {.key = "changed", .title = "Changed", .style = STYLE_TIME},
	        {.key = "local.changed", .title = "There", .min = 10},
	        {.key = "service", .title = "Service", .min = 8},
	        {.key = "reference", .title = "Reference", .min = 8},
	};
	enum { COLUMNS = sizeof columns / sizeof *columns };
	output_section(ctl->out, json_object_get(jobs, "scheduled"), "Scheduled jobs", columns,
	               COLUMNS);
	static const struct column held[] = {
	        {.key = "id", .title = "Id", .right = true},
	        {.key = "job", .title = "Job"},
	        {.key = "reason", .title = "Reason"},
	        {.key = "received", .title = "Since", .style = STYLE_TIME},
	        {.key = "data.scheduled", .title = "Scheduled", .style = STYLE_TIME},
	        {.key = "local.scheduled", .title = "There", .min = 10},
	        {.key = "data.route", .title = "Route"},
	};
	output_section(ctl->out, json_object_get(jobs, "held"), "Held jobs", held,
	               sizeof held / sizeof *held);
	output_section(ctl->out, json_object_get(jobs, "last"), "Last jobs", columns, COLUMNS);
}
