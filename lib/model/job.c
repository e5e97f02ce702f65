/* SPDX-License-Identifier: MIT */
/*
 * One order over all marks, and the greatest is the state. Its keys, first to last:
 *
 *   1. not older than the latest `dispatched` (a new dispatch restarts the job)
 *   2. an end before anything else: a driver's clock that is ahead can't reopen a finished job
 *   3. time
 *   4. rank: dispatched < started < paused; completed < failed < cancelled
 *   5. source, then id, as bytes: arbitrary, but the same everywhere
 *
 * The contract leaves the rank among ends open. It is by how much the customer has to know: who
 * reads "completed" for a job that also failed is misled, and the office's calling it off is the
 * last word. Within one millisecond that is all there is to go by.
 */
#include "model/job.h"

#include <stdbool.h>
#include <string.h>

enum { BEFORE_END = JOB_BIT(JOB_DISPATCHED) | JOB_BIT(JOB_STARTED) | JOB_BIT(JOB_PAUSED) };

static const struct state_row {
	int rank;
	unsigned supersedes, supersedes_for_getters;
} rows[JOB_STATE_COUNT] = {
        [JOB_DISPATCHED] = {.rank = 0, .supersedes = BEFORE_END | JOB_ENDS},
        [JOB_STARTED] = {.rank = 1, .supersedes_for_getters = BEFORE_END},
        [JOB_PAUSED] = {.rank = 2, .supersedes_for_getters = BEFORE_END},
        [JOB_COMPLETED] = {.rank = 3, .supersedes = BEFORE_END | JOB_ENDS},
        [JOB_FAILED] = {.rank = 4, .supersedes = BEFORE_END | JOB_ENDS},
        [JOB_CANCELLED] = {.rank = 5, .supersedes = BEFORE_END | JOB_ENDS},
};

static bool is_end(const struct job_mark *mark)
{
	return (JOB_BIT(mark->state) & JOB_ENDS) != 0;
}

static int compare(const struct job_mark *a, const struct job_mark *b)
{
	if (is_end(a) != is_end(b))
		return is_end(a) ? 1 : -1;
	if (a->time.ms != b->time.ms)
		return a->time.ms > b->time.ms ? 1 : -1;
	if (a->state != b->state)
		return rows[a->state].rank - rows[b->state].rank;
	int order = strcmp(a->source, b->source);
	return order != 0 ? order : strcmp(a->id, b->id);
}

/* The greatest of all marks and one more, which may be NULL; those older than `begin` don't count.
 */
static const struct job_mark *greatest(const struct job_mark *marks, size_t n,
                                       const struct job_mark *more, struct instant begin)
{
	const struct job_mark *best = NULL;
	for (size_t i = 0; i <= n; i++) {
		const struct job_mark *mark = i < n ? &marks[i] : more;
		if (mark == NULL || instant_before(mark->time, begin))
			continue;
		if (best == NULL || compare(mark, best) > 0)
			best = mark;
	}
	return best;
}

static struct instant latest_dispatch(const struct job_mark *marks, size_t n,
                                      const struct job_mark *more)
{
	struct instant latest = INSTANT_NONE;
	for (size_t i = 0; i <= n; i++) {
		const struct job_mark *mark = i < n ? &marks[i] : more;
		if (mark != NULL && mark->state == JOB_DISPATCHED &&
		    instant_before(latest, mark->time))
			latest = mark->time;
	}
	return latest;
}

static const struct job_mark *state_with(const struct job_mark *marks, size_t n,
                                         const struct job_mark *more)
{
	return greatest(marks, n, more, latest_dispatch(marks, n, more));
}

const struct job_mark *job_state_of(const struct job_mark *marks, size_t n)
{
	return state_with(marks, n, NULL);
}

enum job_change job_change_of(const struct job_mark *marks, size_t n, const struct job_mark *mark)
{
	if (state_with(marks, n, mark) != mark)
		return JOB_STALE;
	const struct job_mark *before = job_state_of(marks, n);
	return before != NULL && before->state == mark->state ? JOB_REPEATS : JOB_BECOMES;
}

unsigned job_supersedes(enum job_state later)
{
	return rows[later].supersedes;
}

unsigned job_supersedes_for_getters(enum job_state later)
{
	return rows[later].supersedes_for_getters;
}
