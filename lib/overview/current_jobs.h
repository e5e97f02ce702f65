/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_CURRENT_JOBS_H
#define OVERVIEW_CURRENT_JOBS_H

#include "overview/overview.h"
#include "spool/spool.h"

#include <jansson.h>

enum current_day { CURRENT_ALL, CURRENT_TODAY, CURRENT_TOMORROW };

/* Which of the jobs; NULL for any. */
struct current_filter {
	const char *route;
	const char *stage;
	enum current_day day; /* on which they are scheduled, by the customer's calendar */
};

/*
 * All customers' jobs that are under way or scheduled, by route and time: {"jobs", "routes" (the
 * names of all there are), "more" (whether there are more than these, the first thousand), "cut"
 * (whether only the latest ten thousand were looked at)}. A job: as spool_read_current(), with
 * local times, `name` of the customer, `suspended` (whether a suspension of jobs or routes covers
 * it now, or when it is scheduled while that is still to come), `idle` (the customer's status,
 * unless that is active), `stage` (a job's state, else "held" or "scheduled") and `late`: scheduled
 * for a time that has passed and not started, or its `eta` has passed. Scheduled are those without
 * any event that are held, or that the gate has let through, for a day ago or later. The caller's.
 */
bool current_jobs(const struct overview *view, struct spool *spool,
                  const struct current_filter *filter, json_t **ret, struct error *err) MUST_CHECK;

#endif
