/* SPDX-License-Identifier: MIT */
/*
 * Customers that have changed, so that what waits for them is rechecked, and nothing else. The
 * database numbers the changes (records/customers_recheck.c); a turn takes some of them, lists what
 * waits for these customers (spool/spool_recheck.c), and the steps of each kind recheck what is
 * listed. Where more has changed than waits, where something holds for everybody, or where the
 * database or the settings are others than before, a sweep goes over all instead.
 *
 *   changes behind `begun` ─▶ listed, or a sweep over all ─▶ done for every kind ─▶ `followed`
 *
 * The lists are lost with the process: it begins again with those behind `followed`.
 */
#include "engine/changed.h"

#include "base/zone.h"
#include "engine/engine_private.h"
#include "model/settings.h"

#include <stdio.h>
#include <string.h>

enum {
	CHANGES_A_TURN = 100,
	NUMBERS_MAX = 5000, /* with the sites of those that changed; more is everybody */
	LISTED_MAX = 20000, /* of a kind at once; more is all of it */
};

void engine_load_followed(struct engine *engine)
{
	struct sweeps *sweeps = &engine->sweeps;
	for (int kind = 0; kind < RECHECK_KINDS; kind++)
		sweeps->of[kind] = (struct sweep){.kind = (enum recheck)kind, .covered = -1};
	spool_followed(engine->spool, &sweeps->followed);
	sweeps->begun.seq = sweeps->followed.seq;
	(void)snprintf(sweeps->begun.mark, sizeof sweeps->begun.mark, "%s", sweeps->followed.mark);
	(void)snprintf(sweeps->rules, sizeof sweeps->rules, "%s", sweeps->followed.rules);
	engine->sweeps_before = *sweeps;
}

void engine_note_rules(struct engine *engine)
{
	char zones[ZONES_STAMP_SIZE];
	zones_stamp(zones);
	settings_rules_digest(engine->settings, zones, engine->rules);
}

static void sweep_all(struct sweep *sweep, int64_t last)
{
	sweep->came = SWEEP_EVERYBODY;
	sweep->covered = last;
}

static void sweep_everything(struct engine *engine, int64_t last)
{
	for (int kind = 0; kind < RECHECK_KINDS; kind++)
		sweep_all(&engine->sweeps.of[kind], last);
}

/*
 * Changes of which nothing of the kind is to be rechecked one by one: none waits, a sweep over all
 * began behind them, or one is begun now since that is less to do. Held jobs go in the order in
 * which they came, so they are not taken part by part.
 */
static bool is_done(struct engine *engine, struct sweep *sweep, int64_t last)
{
	int64_t before = engine->sweeps.begun.seq > sweep->covered ? engine->sweeps.begun.seq
	                                                           : sweep->covered;
	int64_t changes = last - before;
	if (changes <= 0)
		return true;
	int64_t n = spool_recheck_count(engine->spool, sweep->kind, changes);
	if (n == 0)
		return true;
	if (changes <= CHANGES_A_TURN)
		return false;
	if (n > changes && sweep->kind != RECHECK_HELD)
		return false;
	sweep_all(sweep, last);
	return true;
}

static void list(struct engine *engine, struct sweep *sweep, int64_t last)
{
	size_t n = spool_recheck_list(engine->spool, sweep->kind, LISTED_MAX);
	sweep->listed = n > 0;
	if (n == LISTED_MAX)
		sweep_all(sweep, last);
	else if (n > 0)
		sweep->came = SWEEP_LISTED;
}

/* Some of the changes up to `last`: `done` says of which kinds nothing is to be listed. */
static bool list_some(struct engine *engine, const bool done[RECHECK_KINDS], int64_t last,
                      struct error *err)
{
	struct sweeps *sweeps = &engine->sweeps;
	struct customer_changes changes;
	if (!customers_changes(engine->customers, sweeps->begun.seq, CHANGES_A_TURN, NUMBERS_MAX,
	                       engine->arena, &changes, err))
		return false;
	if (changes.everybody) {
		sweep_everything(engine, last);
		sweeps->begun.seq = last;
		return true;
	}
	spool_recheck_customers(engine->spool, changes.numbers, changes.n_numbers);
	for (int kind = 0; kind < RECHECK_KINDS; kind++) {
		if (!done[kind])
			list(engine, &sweeps->of[kind], last);
	}
	sweeps->begun.seq = changes.upto;
	return true;
}

static bool follow(struct engine *engine, const struct change_point *last, struct error *err)
{
	struct sweeps *sweeps = &engine->sweeps;
	bool done[RECHECK_KINDS], all_done = true;
	for (int kind = 0; kind < RECHECK_KINDS; kind++) {
		done[kind] = is_done(engine, &sweeps->of[kind], last->seq);
		all_done &= done[kind];
	}
	if (all_done)
		sweeps->begun.seq = last->seq;
	else if (!list_some(engine, done, last->seq, err))
		return false;
	(void)snprintf(sweeps->begun.mark, sizeof sweeps->begun.mark, "%s", last->mark);
	sweeps->behind = sweeps->begun.seq < last->seq;
	engine->out->more |= sweeps->behind;
	return true;
}

/* Whether what is known is of no use: another database or another past of it, other rules. */
static bool begins_again(struct engine *engine, bool *ret, struct error *err)
{
	struct sweeps *sweeps = &engine->sweeps;
	bool known;
	if (!customers_change_known(engine->customers, &sweeps->begun, &known, err))
		return false;
	*ret = engine->recheck_all || !known || strcmp(sweeps->rules, engine->rules) != 0;
	return true;
}

static bool follow_changes(struct engine *engine, struct error *err)
{
	struct sweeps *sweeps = &engine->sweeps;
	struct change_point last;
	bool again;
	if (!begins_again(engine, &again, err) ||
	    !customers_change_point(engine->customers, &last, err))
		return false;
	if (!again)
		return last.seq == sweeps->begun.seq || follow(engine, &last, err);
	sweep_everything(engine, last.seq);
	sweeps->begun = last;
	sweeps->behind = false;
	(void)snprintf(sweeps->rules, sizeof sweeps->rules, "%s", engine->rules);
	return true;
}

void engine_follow_changes(struct engine *engine)
{
	struct error err;
	if ((engine->customers_came || engine->sweeps.behind) && !follow_changes(engine, &err))
		spool_fail(engine->spool, &err);
}

void engine_keep_followed(struct engine *engine)
{
	struct sweeps *sweeps = &engine->sweeps;
	bool same = sweeps->begun.seq == sweeps->followed.seq &&
	            strcmp(sweeps->rules, sweeps->followed.rules) == 0;
	for (int kind = 0; kind < RECHECK_KINDS; kind++) {
		if (engine_sweeps(&sweeps->of[kind]))
			return;
	}
	if (sweeps->behind || same)
		return;
	sweeps->followed.seq = sweeps->begun.seq;
	(void)snprintf(sweeps->followed.mark, sizeof sweeps->followed.mark, "%s",
	               sweeps->begun.mark);
	(void)snprintf(sweeps->followed.rules, sizeof sweeps->followed.rules, "%s", sweeps->rules);
	spool_set_followed(engine->spool, &sweeps->followed);
}
