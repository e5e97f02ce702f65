/* SPDX-License-Identifier: MIT */
/* The turn with its steps in order. What each step does is in the file that it names. */
#include "engine/turn.h"

#include "engine/breaker.h"
#include "engine/changed.h"
#include "engine/command.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/erase.h"
#include "engine/follow.h"
#include "engine/gate.h"
#include "engine/intake.h"
#include "engine/limits.h"
#include "engine/mail_dispatch.h"
#include "engine/mail_expire.h"
#include "engine/mail_pause.h"
#include "engine/mail_recheck.h"
#include "engine/mail_results.h"
#include "engine/mail_templates.h"
#include "engine/numbers.h"
#include "engine/office_write.h"
#include "engine/outcome_publish.h"
#include "engine/recall.h"
#include "engine/report.h"
#include "engine/turn_journal.h"
#include "engine/waiting.h"

enum {
	PURGE_EVERY_MS = 30 * 1000,
	PURGE_AGAIN_MS = 50, /* between the slices of a round */
	PURGE_ROWS = 2500,   /* a slice */
	CLOCK_SET_MS = 100,  /* by less than that, a clock is adjusted */
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

/* While it was stopped, by so much at least; 0 where that isn't known. */
static int64_t clock_set_back_before(struct engine *engine)
{
	struct instant last = spool_last_time(engine->spool);
	int64_t by_ms = instant_is_none(last) ? 0 : engine->now.ms - last.ms;
	return by_ms > -CLOCK_SET_MS ? 0 : by_ms;
}

/* A wall clock that was set back must not hold up what waits for longer than intended. One that was
 * set forward must not end the wait for a customer who may be in Redis. */
static void handle_clock_jump(struct engine *engine)
{
	bool starts = instant_is_none(engine->last);
	int64_t by_ms = starts ? clock_set_back_before(engine)
	                       : engine_clock_set(engine, engine->now, engine->in->tick);
	if (starts || by_ms < 0)
		spool_set_back(engine->spool, engine->now, -by_ms);
	else if (by_ms > 0)
		spool_set_forward(engine->spool, by_ms);
}

void engine_turn_enter(struct engine *engine, const struct turn_input *in, struct turn_output *out)
{
	*out = (struct turn_output){.arena = arena_new(), .next = INSTANT_NEVER};
	engine->in = in;
	engine->out = out;
	engine->arena = arena_new();
	engine->now = in->now;
}

void engine_turn_leave(struct engine *engine)
{
	engine->in = NULL;
	engine->out = NULL;
	engine->arena = arena_free(engine->arena);
}

bool engine_turn_begin(struct engine *engine, struct error *err)
{
	engine->stats_before = engine->stats;
	engine_customers_begin(engine);
	engine_new_mails_begin(engine);
	if (!customers_begin_read(engine->customers, err))
		return false;
	if (spool_begin(engine->spool, err)) {
		handle_clock_jump(engine);
		engine_load_refusals(engine);
		return true;
	}
	customers_end_read(engine->customers);
	return false;
}

/* What the engine keeps from a turn that is on disk. */
static void keep(struct engine *engine)
{
	const struct publications *publications = engine->out->publications;
	engine->stats_before = engine->stats;
	engine->sweeps_before = engine->sweeps;
	engine->templates_kept = engine->templates != NULL;
	engine->paused_before = engine->paused;
	engine->redirect_new = false;
	engine->last = engine->now;
	engine->last_tick = engine->in->tick;
	if (engine->in->published > engine->published)
		engine->published = engine->in->published;
	if (publications != NULL) {
		engine->handed = publications->rows[publications->n - 1].seq;
		engine->again = false;
	}
}

bool engine_turn_commit(struct engine *engine, struct error *err)
{
	engine_append_turn(engine);
	bool ok = spool_commit(engine->spool, err);
	engine_appended(engine, ok);
	customers_end_read(engine->customers);
	in_flight_end_turn(engine->in_flight, ok);
	if (ok) {
		keep(engine);
	} else {
		engine->stats = engine->stats_before;
		engine->sweeps = engine->sweeps_before;
		engine->paused = engine->paused_before;
		engine->limits.known = false;
	}
	return ok;
}

static void take_published(struct engine *engine)
{
	if (engine->in->prove)
		spool_write_something(engine->spool, engine->now);
	if (engine->in->published > engine->published)
		spool_set_published(engine->spool, engine->in->published);
}

/* By slices that hold no turn for long. */
static void purge(struct engine *engine)
{
	int64_t since_ms = engine->now.ms - engine->purged_ms;
	if (since_ms >= 0 && since_ms < (engine->purging ? PURGE_AGAIN_MS : PURGE_EVERY_MS))
		return;
	struct instant before = instant_add(engine->now, -engine->settings->spool.keep_ms);
	engine->purged_ms = engine->now.ms;
	engine->purging = spool_purge(engine->spool, before, engine->now, PURGE_ROWS);
	const struct limit *limit = &engine->settings->rules.per_contact;
	struct instant counts = instant_add(engine->now, -limit->window_ms);
	engine->purging |= spool_slots_purge(
	        engine->spool, limit->most > 0 ? counts : INSTANT_NEVER, engine->now, PURGE_ROWS);
}

static void list_jobs(struct engine *engine)
{
	engine->list_again = spool_list_jobs(engine->spool, engine->now);
}

static void find_next(struct engine *engine)
{
	struct instant next = spool_next_due(engine->spool, engine->now);
	next = instant_min(next, spool_next_expiry(engine->spool));
	next = instant_min(next, engine_next_wait(engine));
	next = instant_min(next, engine_next_breaker(engine));
	next = instant_min(next, spool_next_recheck(engine->spool));
	if (engine->purging)
		next = instant_min(next, (struct instant){engine->purged_ms + PURGE_AGAIN_MS});
	next = instant_min(next, engine->list_again);
	engine->out->next = next;
	engine->first_due = spool_first_due(engine->spool);
}

/* All that a turn does, in order. What comes first is seen by what comes later. */
static void steps(struct engine *engine)
{
	take_published(engine);                /* Redis has what it was given */
	engine_load_pause(engine);             /* mail_pause.c: whether mails go out */
	engine_follow_redirect(engine);        /* mail_pause.c: and whether to their recipients */
	engine_load_limits(engine);            /* limits.c: how many mails were made lately */
	engine_close_breaker(engine);          /* breaker.c: a flood is over */
	engine_keep_templates(engine);         /* mail_templates.c: by which mails are rendered */
	engine_follow_numbers(engine);         /* numbers.c: jobs follow customers' new numbers */
	engine_follow_erased(engine);          /* erase.c: whose words are to go */
	engine_process_results(engine);        /* mail_results.c: mails in flight that are back */
	engine_record_office_writes(engine);   /* office_write.c: done in customers.db */
	engine_process_feed(engine);           /* office_write.c: customers changed elsewhere */
	engine_follow_changes(engine);         /* changed.c: whose data has changed since */
	engine_recheck_held(engine);           /* gate.c: held jobs, before any new request */
	engine_process_waiting(engine);        /* intake.c: events whose customer came, or won't */
	engine_process_entries(engine);        /* intake.c: new events */
	engine_process_commands(engine);       /* command.c: the office's and the admin's */
	engine_recall_jobs(engine);            /* recall.c: released jobs, now suspended */
	engine_follow_breaker(engine);         /* breaker.c: a flood begins, or is decided on */
	engine_expire(engine);                 /* mail_expire.c: shelf lives that ended */
	engine_recheck_deferred(engine);       /* mail_recheck.c: may go sooner: new hours */
	engine_recheck_sending(engine);        /* mail_recheck.c: may go no more, not begun yet */
	engine_dispatch_mails(engine);         /* mail_dispatch.c: mails that are due */
	engine_publish_outcomes(engine);       /* outcome_publish.c: what Redis gets next */
	engine_dispatch_office_writes(engine); /* office_write.c: to be done in customers.db */
	engine_erase(engine);                  /* erase.c: words of customers that were erased */
	engine_keep_followed(engine);          /* changed.c: rechecked for all changes */
	purge(engine);                         /* what is too old to keep */
	list_jobs(engine);                     /* new ones, by their customers */
	find_next(engine);                     /* when something will be due */
	engine_sum_up(engine);                 /* report.c: what was too much for the log */
}

/* All of it within one transaction, but for the choice of customers.db before. */
static bool make_turn(struct engine *engine, struct error *err)
{
	struct error unknown;
	engine->lacks = !engine_follow_customers(engine, err);
	if (engine->lacks || !engine_turn_begin(engine, err))
		return false;
	/* The version of the data that this turn sees: what has changed is rechecked before
	 * anything new. */
	int64_t version = db_data_version(customers_db(engine->customers));
	engine->customers_came = version != engine->customers_version;
	engine_customers_changed_since(engine, engine->customers_came);
	engine->lacks = !engine_knows_customers(engine, &unknown);
	if (engine->lacks)
		spool_fail(engine->spool, &unknown);
	else
		steps(engine);
	if (!engine_turn_commit(engine, err))
		return false;
	engine->known = engine->seen;
	engine->customers_version = version;
	engine->recheck_all = false;
	if (engine->erased)
		spool_empty_wal(engine->spool);
	engine->erased = false;
	return true;
}

bool engine_turn(struct engine *engine, const struct turn_input *in, struct turn_output *ret,
                 struct error *err)
{
	engine_turn_enter(engine, in, ret);
	bool ok = make_turn(engine, err);
	engine_turn_leave(engine);
	if (!ok) {
		engine->stats.commit_faults++;
		turn_output_clear(ret);
	}
	return ok;
}

char *engine_command(struct engine *engine, const char *text, struct instant now, struct error *err)
{
	const struct turn_command command = {.text = text};
	struct turn_input in = {.now = now, .commands = &command, .n_commands = 1};
	struct turn_output out;
	char *reply = NULL;
	if (engine_turn(engine, &in, &out, err))
		reply = mem_strdup(out.replies[0]);
	turn_output_clear(&out);
	return reply;
}
