/* SPDX-License-Identifier: MIT */
/*
 * One order over all marks, and the greatest is the state. Its keys, first to last:
 *
 *   1. not older than the latest restart, which is a `dispatched`
 *   2. an end before anything else: a driver's clock that is ahead can't reopen a finished job
 *   3. time
 *   4. rank: dispatched < started < paused; completed < failed < cancelled
 *   5. source, then id, as bytes: arbitrary, but the same everywhere
 *
 * What distinguishes the states (rank, end, restart) is in the table of job_state.c.
 */
#include "model/job.h"

#include <stdbool.h>
#include <string.h>

static bool is_end(const struct job_mark *mark)
{
	return job_state_row(mark->state)->is_end;
}

static int compare(const struct job_mark *a, const struct job_mark *b)
{
	if (is_end(a) != is_end(b))
		return is_end(a) ? 1 : -1;
	if (a->time.ms != b->time.ms)
		return a->time.ms > b->time.ms ? 1 : -1;
	if (a->state != b->state)
		return job_state_row(a->state)->rank - job_state_row(b->state)->rank;
	int order = strcmp(a->source, b->source);
	return order != 0 ? order : strcmp(a->id, b->id);
}

/* The greatest of all marks and one more, which may be NULL, but for those older than `begin`. */
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

static struct instant latest_restart(const struct job_mark *marks, size_t n,
                                     const struct job_mark *more)
{
	struct instant latest = INSTANT_NONE;
	for (size_t i = 0; i <= n; i++) {
		const struct job_mark *mark = i < n ? &marks[i] : more;
		if (mark != NULL && job_state_row(mark->state)->restarts &&
		    instant_before(latest, mark->time))
			latest = mark->time;
	}
	return latest;
}

static const struct job_mark *state_with(const struct job_mark *marks, size_t n,
                                         const struct job_mark *more)
{
	return greatest(marks, n, more, latest_restart(marks, n, more));
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

/* An end or a restart makes all mails pointless. */
static bool supersedes_all(enum job_state later)
{
	return job_state_row(later)->is_end || job_state_row(later)->restarts;
}

unsigned job_supersedes(enum job_state later)
{
	return supersedes_all(later) ? JOB_NOTIFY_ALL : 0;
}

unsigned job_supersedes_for_getters(enum job_state later)
{
	unsigned states = 0;
	for (int i = 0; i < JOB_STATE_COUNT && !supersedes_all(later); i++)
		if (!job_state_row((enum job_state)i)->is_end)
			states |= JOB_BIT(i);
	return states;
}
