/* SPDX-License-Identifier: MIT */
#include "model/job_state.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

/*
 * The contract leaves the rank among ends open. It is by how much the customer has to know: who
 * reads "completed" for a job that also failed is misled, and the office's calling it off is the
 * last word. Within one millisecond that is all there is to go by.
 */
static const struct job_state_row rows[JOB_STATE_COUNT] = {
        [JOB_DISPATCHED] = {.type = "job.dispatched",
                            .rank = 0,
                            .restarts = true,
                            .is_under_way = true,
                            .needs_route = true},
        [JOB_STARTED] = {.type = "job.started", .rank = 1, .is_under_way = true},
        [JOB_COMPLETED] = {.type = "job.completed", .rank = 3, .is_end = true},
        [JOB_FAILED] = {.type = "job.failed", .rank = 4, .is_end = true},
        [JOB_PAUSED] = {.type = "job.paused", .rank = 2},
        [JOB_CANCELLED] = {.type = "job.cancelled", .rank = 5, .is_end = true},
};
const char job_states_default[] = "dispatched,started,completed,failed,paused";

enum { TYPE_PREFIX = sizeof "job." - 1 };

const struct job_state_row *job_state_row(enum job_state state)
{
	static const struct job_state_row none = {.type = ""};
	return state >= 0 && state < JOB_STATE_COUNT ? &rows[state] : &none;
}

const char *job_state_type(enum job_state state)
{
	return job_state_row(state)->type;
}

const char *job_state_name(enum job_state state)
{
	const char *type = job_state_type(state);
	return *type != '\0' ? type + TYPE_PREFIX : type;
}

enum job_state job_state_find(const char *name)
{
	for (int i = 0; i < JOB_STATE_COUNT; i++)
		if (strcmp(job_state_name((enum job_state)i), name) == 0)
			return (enum job_state)i;
	return JOB_NONE;
}

const char *job_states_join(const char *prefix, const char *between, const char *last,
                            char text[JOB_STATES_TEXT_MAX])
{
	size_t len = 0;
	for (int i = 0; i < JOB_STATE_COUNT; i++) {
		const char *before = i == 0 ? "" : i < JOB_STATE_COUNT - 1 ? between : last;
		len += (size_t)snprintf(text + len, JOB_STATES_TEXT_MAX - len, "%s%s%s", before,
		                        prefix, job_state_name((enum job_state)i));
		if (len >= JOB_STATES_TEXT_MAX)
			bug("the states of a job take more than %d bytes", JOB_STATES_TEXT_MAX);
	}
	return text;
}
