/* SPDX-License-Identifier: MIT */
/* The turn with its steps in order. What each step does is in the file that it names. */
#include "engine/turn.h"

#include "engine/command.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/erase.h"
#include "engine/follow.h"
#include "engine/gate.h"
#include "engine/intake.h"
#include "engine/mail_dispatch.h"
#include "engine/mail_expire.h"
#include "engine/mail_recheck.h"
#include "engine/mail_results.h"
#include "engine/numbers.h"
#include "engine/office_write.h"
#include "engine/recall.h"
#include "engine/report.h"
#include "engine/waiting.h"
#include "mail/outgoing_mail.h"

#include <string.h>

enum {
	PURGE_EVERY_MS = 30 * 1000,
	PURGE_ROWS = 500,
	CLOCK_SET_MS = 100, /* by less than that, a clock is adjusted */
};

int64_t engine_clock_set(const struct engine *engine, struct instant now, struct tick tick)
{
	if (instant_is_none(engine->last))
		return 0;
	bool known = tick.ms != 0 && engine->last_tick.ms != 0;
	int64_t passed = known ? tick.ms - engine->last_tick.ms : 0;
	int64_t by = now.ms - (engine->last.ms + passed);
	return (by > 0 && !known) || (by > -CLOCK_SET_MS && by < CLOCK_SET_MS) ? 0 : by;
}

/* A wall clock that was set back must not hold up what waits: for how long, nobody meant. At the
 * start it isn't known by how much. One that was set forward must not end the wait for a customer
 * who may be in Redis.
 */
static void mind_clock(struct engine *engine)
{
	int64_t by_ms = engine_clock_set(engine, engine->now, engine->turn->tick);
	if (instant_is_none(engine->last) || by_ms < 0)
		spool_set_back(engine->spool, engine->now, -by_ms);
	else if (by_ms > 0)
		spool_set_forward(engine->spool, by_ms);
}

static void prepare(struct engine *engine, struct turn *turn)
{
	turn->arena = turn->arena ? turn->arena : arena_new();
	engine->turn = turn;
	engine->arena = turn->arena;
	engine->now = turn->now;
}

bool engine_turn_begin(struct engine *engine, struct turn *turn, struct error *err)
{
	prepare(engine, turn);
	engine->stats_before = engine->stats;
	engine->n_slots = 0;
	memset(engine->slots, 0, sizeof engine->slots);
	if (!customers_begin_read(engine->customers, err))
		return false;
	if (spool_begin(engine->spool, err)) {
		mind_clock(engine);
		engine_load_refusals(engine);
		return true;
	}
	customers_end_read(engine->customers);
	return false;
}

bool engine_turn_end(struct engine *engine, struct error *err)
{
	bool ok = spool_commit(engine->spool, err);
	customers_end_read(engine->customers);
	if (ok) {
		engine->stats_before = engine->stats;
		engine->sweeps_before = engine->sweeps;
		engine->last = engine->now;
		engine->last_tick = engine->turn->tick;
	} else {
		engine->stats = engine->stats_before;
		engine->sweeps = engine->sweeps_before;
	}
	return ok;
}

static void take_published(struct engine *engine)
{
	if (engine->turn->prove)
		spool_write_something(engine->spool, engine->now);
	if (engine->turn->published > 0)
		spool_set_published(engine->spool, engine->turn->published);
}

static void publish_outcomes(struct engine *engine)
{
	struct turn *turn = engine->turn;
	if (turn->outcomes_max > 0)
		turn->outcomes =
		        spool_outcomes_after(engine->spool, engine->handed, turn->outcomes_max,
		                             turn->arena, &turn->n_outcomes);
	engine->unpublished = spool_last_outcome(engine->spool) - spool_published(engine->spool);
	size_t weight = 0;
	for (size_t i = 0; i < turn->n_outcomes; i++)
		weight += spool_outcome_weight(&turn->outcomes[i]);
	turn->more |= turn->outcomes_max > 0 && weight >= turn->outcomes_max;
}

static void purge(struct engine *engine)
{
	if (engine->now.ms - engine->purged_ms < PURGE_EVERY_MS &&
	    engine->now.ms >= engine->purged_ms)
		return;
	engine->purged_ms = engine->now.ms;
	struct instant before = instant_add(engine->now, -engine->settings->spool.keep_ms);
	if (spool_purge(engine->spool, before, PURGE_ROWS))
		engine->purged_ms -= PURGE_EVERY_MS; /* more of it in the next turn */
}

static void find_next(struct engine *engine)
{
	struct instant next = spool_next_due(engine->spool, engine->now);
	next = instant_min(next, spool_next_expiry(engine->spool));
	next = instant_min(next, engine_next_wait(engine));
	next = instant_min(next, spool_next_recheck(engine->spool));
	engine->turn->next = next;
}

/* All that a turn does, in order. What comes first is seen by what comes later. */
static void steps(struct engine *engine)
{
	take_published(engine);        /* Redis has what it was given */
	engine_follow_numbers(engine); /* numbers.c: jobs go with their customers' new numbers */
	engine_take_results(engine);   /* mail_results.c: what became of mails in flight */
	engine_record_office_writes(
	        engine);          /* office_write.c: what has been done in customers.db */
	engine_take_feed(engine); /* office_write.c: customers that changed elsewhere */
	engine_recheck_held(
	        engine); /* gate.c: held jobs that may go, or never will; before any new one */
	engine_take_waiting(engine);  /* intake.c: events whose customer has come, or won't */
	engine_take_entries(engine);  /* intake.c: new events */
	engine_take_commands(engine); /* command.c: the office's and the admin's */
	engine_recall_jobs(engine);   /* recall.c: released jobs against a suspension */
	engine_expire(engine);        /* mail_expire.c: shelf lives that ended */
	engine_recheck_deferred(
	        engine); /* mail_recheck.c: mails that may go sooner, since hours have changed */
	engine_recheck_sending(
	        engine); /* mail_recheck.c: mails that may not go any more, and wait for a mailer */
	engine_dispatch_mails(engine); /* mail_dispatch.c: mails that are due */
	publish_outcomes(engine);      /* what Redis gets next */
	engine_dispatch_office_writes(
	        engine);       /* office_write.c: what is to be done in customers.db */
	engine_erase(engine);  /* erase.c: words of customers that were erased */
	purge(engine);         /* what is too old to keep */
	find_next(engine);     /* when something will be due */
	engine_sum_up(engine); /* report.c: what was too much for the log */
}

static bool fault(struct engine *engine)
{
	engine->stats.commit_faults++;
	return false;
}

bool engine_turn(struct engine *engine, struct turn *turn, struct error *err)
{
	struct error unknown;
	prepare(engine, turn);
	engine->lacks = !engine_follow_customers(engine, err);
	if (engine->lacks || !engine_turn_begin(engine, turn, err))
		return fault(engine);
	/* That of the data which this turn sees: what has changed is rechecked before anything new.
	 */
	int64_t version = db_data_version(customers_db(engine->customers));
	engine->customers_came = version != engine->customers_version;
	engine->lacks = !engine_knows_customers(engine, &unknown);
	if (engine->lacks)
		spool_fail(engine->spool, &unknown);
	else
		steps(engine);
	if (!engine_turn_end(engine, err))
		return fault(engine);
	engine->known = engine->seen;
	engine->customers_version = version;
	if (engine->erased)
		spool_empty_wal(engine->spool);
	engine->erased = false;
	if (turn->n_outcomes > 0)
		engine->handed = turn->outcomes[turn->n_outcomes - 1].seq;
	return true;
}

void turn_clear(struct turn *turn)
{
	for (size_t i = 0; i < turn->n_outgoing; i++)
		outgoing_mail_free(turn->outgoing[i]);
	arena_free(turn->arena);
	*turn = (struct turn){0};
}

char *engine_command(struct engine *engine, const char *text, struct instant now, struct error *err)
{
	struct turn turn = {.now = now, .commands = &text, .n_commands = 1};
	char *reply = NULL;
	if (engine_turn(engine, &turn, err))
		reply = mem_strdup(turn.replies[0]);
	turn_clear(&turn);
	return reply;
}
