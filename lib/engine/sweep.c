/* SPDX-License-Identifier: MIT */
/*
 * Sweeps over records: some of them a turn, from where the turn before ended, those whose time has
 * come and those of customers that have changed (changed.c), or all of them.
 */
#include "engine/sweep.h"

#include "engine/engine_private.h"

enum {
	SWEEPS_BEGUN_MAX = 5,
	TURN_BYTES = 8 << 20, /* of the arena */
};

bool engine_turn_is_full(struct engine *engine)
{
	bool full = arena_bytes(engine->arena) >= TURN_BYTES;
	engine->out->more |= full;
	return full;
}

struct instant engine_sweep_begin(struct engine *engine, struct sweep *sweep)
{
	bool at_once = sweep->after == 0 || sweep->begun < SWEEPS_BEGUN_MAX;
	if (sweep->came != SWEEP_NOBODY && at_once) {
		sweep->all |= sweep->came == SWEEP_EVERYBODY;
		sweep->after = 0;
		sweep->begun++;
	} else if (sweep->came == SWEEP_EVERYBODY) {
		sweep->again = true;
	}
	sweep->came = SWEEP_NOBODY;
	return sweep->all ? INSTANT_NEVER : engine->now;
}

void engine_sweep_end(struct engine *engine, struct sweep *sweep, const int64_t *ids, size_t n,
                      size_t max)
{
	bool goes_on = n == max;
	if (sweep->listed)
		spool_recheck_done(engine->spool, sweep->kind, sweep->after,
		                   goes_on ? ids[n - 1] : INT64_MAX);
	sweep->after = goes_on ? ids[n - 1] : 0;
	if (!goes_on) {
		sweep->all = sweep->again;
		sweep->again = false;
		sweep->begun = 0;
		sweep->listed = sweep->listed && spool_recheck_lists(engine->spool, sweep->kind);
	}
	engine->out->more |= goes_on || engine_sweeps(sweep);
}

void engine_sweep_none(struct engine *engine, struct sweep *sweep)
{
	if (sweep->listed)
		spool_recheck_done(engine->spool, sweep->kind, 0, INT64_MAX);
	*sweep = (struct sweep){.kind = sweep->kind, .covered = sweep->covered};
}

bool engine_sweeps(const struct sweep *sweep)
{
	return sweep->all || sweep->listed || sweep->again;
}
