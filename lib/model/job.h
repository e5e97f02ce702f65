/* SPDX-License-Identifier: MIT */
#ifndef MODEL_JOB_H
#define MODEL_JOB_H

#include "base/instant.h"
#include "model/words.h"

#include <stddef.h>

/*
 * A job's state as a function of the set of its known events (contract, section 4, Job state): the
 * order in which they came makes no difference.
 */
struct job_mark { /* one known event, as far as the state depends on it */
	enum job_state state;
	struct instant time;
	const char *source, *id; /* no two of a job have both the same */
};

/* The mark that gives the job its state; NULL for none at all. It points into `marks`. */
const struct job_mark *job_state_of(const struct job_mark *marks, size_t n);

/*
 * What one more event does, beside those known before it. A stale one may still move the state, to
 * a mark known before: `dispatched@2` come last lets `started@3` count again over `completed@1`. So
 * the state is always asked of all marks, never kept from one event to the next.
 */
enum job_change {
	JOB_BECOMES, /* it is the state now, another one than before */
	JOB_STALE,   /* it is not the state */
	JOB_REPEATS, /* it is the state, which has the type that it had before */
};
enum job_change job_change_of(const struct job_mark *marks, size_t n, const struct job_mark *mark);

/*
 * Which mails not yet sent a later event of the job makes pointless (section 4, Superseding), as
 * sets of the states that they report: whoever gets them, or only where the contact gets the later
 * one too.
 */
unsigned job_supersedes(enum job_state later);
unsigned job_supersedes_for_getters(enum job_state later);

#endif
