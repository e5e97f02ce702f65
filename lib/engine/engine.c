/* SPDX-License-Identifier: MIT */
/* Opening, and the turn with its steps in order. What each step does is in the file that it names. */
#include "engine/engine_private.h"

#include "base/address.h"
#include "engine/known.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
	UNPUBLISHED_MAX = 200000, /* outcomes that Redis hasn't got: then intake stops */
	WAITS_MAX = 50000,
	PURGE_EVERY_MS = 30 * 1000,
	PURGE_ROWS = 500,
	CLOCK_SET_MS = 100,   /* by less than that, a clock is adjusted */
	TURN_BYTES = 8 << 20, /* of the arena */
	LOCK_WAIT_MS = 10000,
	LOCK_STEP_MS = 20,
};

/* dispatchctl has it for one turn, so it is worth a wait. */
static bool wait_for_lock(int fd)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
	for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK || waited_ms >= LOCK_WAIT_MS)
			return false;
		(void)nanosleep(&step, NULL);
	}
	return true;
}

static bool lock_file(struct engine *engine, const char *name, struct error *err)
{
	engine->lock_fd = db_lock_file(name, err);
	if (engine->lock_fd < 0)
		return false;
	if (wait_for_lock(engine->lock_fd))
		return true;
	if (errno == EWOULDBLOCK)
		return error_set(err, EX_TEMPFAIL, "%s: another dispatchd or dispatchctl has the spool",
		                 name);
	return error_set(err, errno == EACCES ? EX_NOPERM : EX_IOERR, "%s: %s", name, strerror(errno));
}

/* One engine a spool: the lock file's lock goes with the process, whatever becomes of it. Whoever comes first
 * makes the file, and the daemon's user and the office's must both be able to lock it. */
static bool take_lock(struct engine *engine, struct error *err)
{
	const char *path = engine->settings->spool.path;
	char *name = mem_alloc(strlen(path) + sizeof ".lock");
	(void)sprintf(name, "%s.lock", path);
	bool ok = lock_file(engine, name, err);
	free(name);
	return ok;
}

static void set_domain(struct engine *engine)
{
	struct mailbox from;
	const char *domain = "localhost";
	if (mailbox_parse(engine->settings->mail.from, &from, NULL))
		domain = address_domain(from.address);
	free(engine->from_domain);
	engine->from_domain = mem_strdup(domain);
}

/* A wall clock that was set back must not hold up what waits: for how long, nobody meant. At the start it
 * isn't known by how much. One that was set forward must not end the wait for a customer who may be in Redis.
 */
static void mind_clock(struct engine *engine)
{
	int64_t by_ms = engine_clock_set(engine, engine->now, engine->turn->tick);
	if (instant_is_none(engine->last) || by_ms < 0)
		spool_set_back(engine->spool, engine->now, -by_ms);
	else if (by_ms > 0)
		spool_set_forward(engine->spool, by_ms);
}

void engine_interrupt(struct engine *engine)
{
	atomic_store(&engine->interrupted, true);
}

static void prepare(struct engine *engine, struct turn *turn)
{
	turn->arena = turn->arena ? turn->arena : arena_new();
	engine->turn = turn;
	engine->arena = turn->arena;
	engine->now = turn->now;
}

/* Begins a turn's transaction; `turn` gets an arena. */
static bool begin(struct engine *engine, struct turn *turn, struct error *err)
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

static bool end(struct engine *engine, struct error *err)
{
	bool ok = spool_commit(engine->spool, err);
	customers_end_read(engine->customers);
	if (ok) {
		engine->stats_before = engine->stats;
		engine->scans_before = engine->scans;
		engine->last = engine->now;
		engine->last_tick = engine->turn->tick;
	} else {
		engine->stats = engine->stats_before;
		engine->scans = engine->scans_before;
	}
	return ok;
}

static bool doubt_all(struct engine *engine, struct instant now, struct error *err)
{
	struct turn turn = {.now = now};
	bool ok = begin(engine, &turn, err);
	if (ok) {
		engine_doubt_all(engine);
		engine->handed = spool_published(engine->spool);
		engine->opened = spool_last_outcome(engine->spool);
		ok = end(engine, err);
	}
	turn_clear(&turn);
	return ok;
}

struct engine *engine_open(const struct settings *settings, struct instant now, struct error *err)
{
	struct engine *engine = mem_alloc(sizeof *engine);
	engine->settings = settings;
	engine->lock_fd = -1;
	engine->customers_version = -1;
	engine->purged_ms = now.ms;
	engine->last = INSTANT_NONE;
	engine->feed_oldest = INSTANT_NEVER;
	engine->zones = zones_new();
	set_domain(engine);
	/* Before anything is made beside a file that isn't ours. */
	if (!spool_look(settings->spool.path, err) || !customers_look(settings->customers.path, err) ||
	    !take_lock(engine, err))
		return engine_close(engine);
	engine->spool = spool_open(settings->spool.path, DB_WRITE, err);
	if (engine->spool == NULL)
		return engine_close(engine);
	if (!engine_open_customers(engine, err) || !doubt_all(engine, now, err))
		return engine_close(engine);
	return engine;
}

struct engine *engine_close(struct engine *engine)
{
	if (engine == NULL)
		return NULL;
	spool_close(engine->spool);
	customers_close(engine->customers);
	zones_free(engine->zones);
	if (engine->lock_fd >= 0)
		(void)close(engine->lock_fd);
	free(engine->yielding);
	free(engine->from_domain);
	free(engine);
	return NULL;
}

void engine_reload(struct engine *engine, const struct settings *settings)
{
	engine->settings = settings;
	engine->customers_version = -1;
	zones_free(engine->zones);
	engine->zones = zones_new();
	set_domain(engine);
}

bool engine_customers_changed(struct engine *engine)
{
	struct db *db = customers_db(engine->customers);
	char stamp[DB_STAMP_SIZE];
	bool clean;
	db_stamp(engine->settings->customers.path, stamp);
	return db_data_version(db) != engine->customers_version || db_replaced(db, &clean) ||
	       strcmp(stamp, engine->known.stamp) != 0;
}

bool engine_lacks_customers(const struct engine *engine)
{
	return engine->lacks;
}

int64_t engine_clock_set(const struct engine *engine, struct instant now, struct tick tick)
{
	if (instant_is_none(engine->last))
		return 0;
	bool known = tick.ms != 0 && engine->last_tick.ms != 0;
	int64_t passed = known ? tick.ms - engine->last_tick.ms : 0;
	int64_t by = now.ms - (engine->last.ms + passed);
	return (by > 0 && !known) || (by > -CLOCK_SET_MS && by < CLOCK_SET_MS) ? 0 : by;
}

bool engine_feed_pending(const struct engine *engine)
{
	return engine->feed_oldest.ms != INSTANT_NEVER.ms;
}

int64_t engine_handed(const struct engine *engine)
{
	return engine->handed;
}

bool engine_open_for_intake(const struct engine *engine)
{
	return engine->unpublished < UNPUBLISHED_MAX && spool_wait_count(engine->spool) < WAITS_MAX;
}

/* ---- The turn ---- */

static void take_published(struct engine *engine)
{
	if (engine->turn->prove)
		spool_write_something(engine->spool, engine->now);
	if (engine->turn->published > 0)
		spool_set_published(engine->spool, engine->turn->published);
}

static void hand_outcomes(struct engine *engine)
{
	struct turn *turn = engine->turn;
	if (turn->outcomes_max > 0)
		turn->outcomes = spool_outcomes_after(engine->spool, engine->handed, turn->outcomes_max,
		                                      turn->arena, &turn->n_outcomes);
	engine->unpublished = spool_last_outcome(engine->spool) - spool_published(engine->spool);
	size_t weight = 0;
	for (size_t i = 0; i < turn->n_outcomes; i++)
		weight += spool_outcome_weight(&turn->outcomes[i]);
	turn->more |= turn->outcomes_max > 0 && weight >= turn->outcomes_max;
}

bool engine_turn_is_full(struct engine *engine)
{
	bool full = arena_bytes(engine->arena) >= TURN_BYTES;
	engine->turn->more |= full;
	return full;
}

static void purge(struct engine *engine)
{
	if (engine->now.ms - engine->purged_ms < PURGE_EVERY_MS && engine->now.ms >= engine->purged_ms)
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
	next = instant_min(next, spool_next_look(engine->spool));
	engine->turn->next = next;
}

/* All that a turn does, in order. What comes first is seen by what comes later. */
static void steps(struct engine *engine)
{
	take_published(engine);        /* Redis has what it was given */
	engine_follow_numbers(engine); /* numbers.c: jobs go with their customers' new numbers */
	engine_take_results(engine);   /* sending.c: what became of mails in flight */
	engine_take_chores(engine);    /* chore.c: what has been done in customers.db */
	engine_take_feed(engine);      /* chore.c: customers that changed elsewhere */
	engine_look_at_held(engine);   /* gate.c: held jobs that may go, or never will; before any new one */
	engine_take_waiting(engine);   /* decide.c: events whose customer has come, or won't */
	engine_take_entries(engine);   /* decide.c: new events */
	engine_take_commands(engine);  /* command.c: the office's and the admin's */
	engine_call_back(engine);      /* gate_callback.c: released jobs against a suspension */
	engine_expire(engine);         /* sending.c: shelf lives that ended */
	engine_look_at_deferred(engine); /* takeup.c: mails that may go sooner, since hours have changed */
	engine_look_at_sending(engine);  /* takeup.c: mails that may not go any more, and wait for a mailer */
	engine_hand_out(engine);         /* takeup.c: mails that are due */
	hand_outcomes(engine);           /* what Redis gets next */
	engine_hand_chores(engine);      /* chore.c: what is to be done in customers.db */
	engine_erase(engine);            /* erase.c: words of customers that were erased */
	purge(engine);                   /* what is too old to keep */
	find_next(engine);               /* when something will be due */
	engine_sum_up(engine);           /* report.c: what was too much for the log */
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
	if (engine->lacks || !begin(engine, turn, err))
		return fault(engine);
	/* That of the data which this turn sees: what has changed is looked at before anything new. */
	int64_t version = db_data_version(customers_db(engine->customers));
	engine->customers_came = version != engine->customers_version;
	engine->lacks = !engine_knows_customers(engine, &unknown);
	if (engine->lacks)
		spool_fail(engine->spool, &unknown);
	else
		steps(engine);
	if (!end(engine, err))
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

/* ---- Customers, once a turn ---- */

static size_t slot_of(const char *number)
{
	size_t hash = 1469598103934665603u;
	for (; *number; number++)
		hash = (hash ^ (unsigned char)*number) * 1099511628211u;
	return hash % CUSTOMER_SLOTS;
}

const struct customer *engine_customer(struct engine *engine, const char *number)
{
	struct error err;
	size_t i = slot_of(number);
	while (engine->slots[i].number != NULL && strcmp(engine->slots[i].number, number) != 0)
		i = (i + 1) % CUSTOMER_SLOTS;
	if (engine->slots[i].number != NULL)
		return engine->slots[i].customer;
	const struct customer *customer = NULL;
	if (!customers_load(engine->customers, engine->arena, number, &customer, &err)) {
		spool_fail(engine->spool, &err); /* the turn can't be trusted: none of it happens */
		return NULL;
	}
	customer = engine_with_refusals(engine, customer);
	if (engine->n_slots < CUSTOMER_SLOTS / 2) {
		engine->slots[i] = (struct customer_slot){arena_strdup(engine->arena, number), customer};
		engine->n_slots++;
	}
	return customer;
}
