/* SPDX-License-Identifier: MIT */
/*
 * Sweeps over records: some of them a turn, from where the turn before ended, those whose time has come or,
 * where customers have changed, all of them.
 */
#include "engine/sweep.h"

#include "engine/engine_private.h"

enum {
	SCANS_BEGUN_MAX = 5,
	TURN_BYTES = 8 << 20, /* of the arena */
};

bool engine_turn_is_full(struct engine *engine)
{
	bool full = arena_bytes(engine->arena) >= TURN_BYTES;
	engine->turn->more |= full;
	return full;
}

/* Customers that change while a round is under way mean another one from the first: at once, so that the
 * order is kept; where they change without end, after this one, so that all are looked at. */
struct instant engine_scan_begin(struct engine *engine, struct scan *scan)
{
	if (engine->customers_came && scan->after > 0 && scan->begun >= SCANS_BEGUN_MAX)
		scan->again = true;
	else if (engine->customers_came)
		*scan = (struct scan){.all = true, .begun = scan->begun + 1};
	return scan->all ? INSTANT_NEVER : engine->now;
}

void engine_scan_end(struct engine *engine, struct scan *scan, const int64_t *ids, size_t n, size_t max)
{
	if (n == max)
		scan->after = ids[n - 1];
	else
		*scan = (struct scan){.all = scan->again};
	engine->turn->more |= n == max || scan->all;
}
