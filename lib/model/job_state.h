/* SPDX-License-Identifier: MIT */
#ifndef MODEL_JOB_STATE_H
#define MODEL_JOB_STATE_H

#include <stdbool.h>

/*
 * The states of a job, which are also what a job event says (contract, sections 2 and 4). One
 * table, in job_state.c, has all that distinguishes them; types, templates, the words of settings,
 * options, completion, faults and metrics follow from it.
 */
enum job_state {
	JOB_NONE = -1,
	JOB_DISPATCHED,
	JOB_STARTED,
	JOB_COMPLETED,
	JOB_FAILED,
	JOB_PAUSED,
	JOB_CANCELLED,
	JOB_STATE_COUNT,
};

struct job_state_row {
	const char *type; /* of its event, "job.dispatched"; its name is what follows "job." */
	int rank;         /* of two events with the same time, the one of the greater rank counts */
	bool is_end;   /* the job is over: an earlier event can't reopen it, nor can a later one */
	bool restarts; /* the job begins again: what was before, an end too, doesn't count */
	bool is_under_way; /* against a suspension of jobs or routes, the office has to know */
	bool needs_route;  /* a suspension of routes stops its mails, as one of emails stops all */
};
/* For JOB_NONE one with nothing in it, its type "". */
const struct job_state_row *job_state_row(enum job_state state);
/* What the field `notify` of a contact is where it is left out, as states_parse() reads it. */
extern const char job_states_default[];

const char *job_state_name(enum job_state state); /* "dispatched"; "" for JOB_NONE */
const char *job_state_type(enum job_state state); /* "job.dispatched"; "" for JOB_NONE */
enum job_state job_state_find(const char *name);  /* "dispatched"; JOB_NONE where there is none */

/* A set of states, as a contact's choice is. */
#define JOB_BIT(state) (1u << (unsigned)(state))
enum { JOB_NOTIFY_ALL = (1u << JOB_STATE_COUNT) - 1 };

#define JOB_STATES_TEXT_MAX 160
/* All names in order, each behind `prefix`, and `last` instead of `between` before the last one:
 * "dispatched, started, …, paused or cancelled". Returns `text`. */
const char *job_states_join(const char *prefix, const char *between, const char *last,
                            char text[JOB_STATES_TEXT_MAX]);

#endif
