/* SPDX-License-Identifier: MIT */
/*
 * Sweeps over records: some of them a turn, from where the turn before ended, those whose time has
 * come or, where customers have changed, all of them.
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
	if (engine->customers_came && sweep->after > 0 && sweep->begun >= SWEEPS_BEGUN_MAX)
		sweep->again = true;
	else if (engine->customers_came)
		*sweep = (struct sweep){.all = true, .begun = sweep->begun + 1};
	return sweep->all ? INSTANT_NEVER : engine->now;
}

void engine_sweep_end(struct engine *engine, struct sweep *sweep, const int64_t *ids, size_t n,
                      size_t max)
{
	if (n == max)
		sweep->after = ids[n - 1];
	else
		*sweep = (struct sweep){.all = sweep->again};
	engine->out->more |= n == max || sweep->all;
}
