/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_SWEEP_H
#define ENGINE_SWEEP_H

#include "base/instant.h"
#include "spool/spool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/* For which customers data has changed. */
enum sweep_came {
	SWEEP_NOBODY,
	SWEEP_LISTED, /* for some: what waits for them is listed (spool_recheck_list()) */
	SWEEP_EVERYBODY,
};

/* A sweep over records, some of them a turn. */
struct sweep {
	enum recheck kind;
	int64_t after;        /* where it goes on; 0: from the first */
	bool all;             /* not only those whose time has come and those listed */
	bool listed;          /* there may be some on the list */
	bool again;           /* customers changed under way: another sweep over all */
	int begun;            /* how often this one has been */
	enum sweep_came came; /* in this turn */
	int64_t covered;      /* the last change before the latest sweep over all began */
};

/*
 * Customers that change while a sweep is under way mean another one from the first: at once, so
 * that the order is kept; where they change without end, after this one, so that all are rechecked.
 * Returns up to when requests are to be rechecked in this turn.
 */
struct instant engine_sweep_begin(struct engine *engine, struct sweep *sweep);
/* `n` of at most `max` have been, those with `ids`. */
void engine_sweep_end(struct engine *engine, struct sweep *sweep, const int64_t *ids, size_t n,
                      size_t max);
/* There is nothing of that kind. */
void engine_sweep_none(struct engine *engine, struct sweep *sweep);
/* Whether something of the kind is still to be rechecked because of customers that changed. */
bool engine_sweeps(const struct sweep *sweep);

/*
 * Whether a turn has taken so much memory that what is left of a sweep over records had better wait
 * for the next turn: `turn->more` is then set. Events may be as large as max_event_size each.
 */
bool engine_turn_is_full(struct engine *engine);

#endif
