/* SPDX-License-Identifier: MIT */
/* The engine's thread as the loop sees it: the queues, start and stop. */
#include "dispatchd/engine/engine_thread_private.h"

#include "common/clock.h"
#include "dispatchd/sys/mono_cond.h"

#include <stdlib.h>
#include <sysexits.h>

enum {
	PROVE_EVERY_MS = 1000,
	LAST_TURN_S = 5,
	STALLED_MS = 20000,
	LOOK_EVERY_MS = 400,
	LOOK_OWNER_MS = 50, /* what the office has changed isn't in the journal until then */
	GIVES_UP_MS = 5000, /* where a standby can go on */
};

/* ---- The loop's side ---- */

void engine_thread_nudge(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->nudged = true;
	if (!t->gathering)
		pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_clock_set(struct engine_thread *t)
{
	engine_thread_nudge(t);
}

static void wake_by_pool(void *arg)
{
	engine_thread_nudge(arg);
}

void engine_thread_set_pool(struct engine_thread *t, struct pool *pool)
{
	pool_set_wake(pool, wake_by_pool, t);
	pthread_mutex_lock(&t->lock);
	t->new_pool = pool;
	pthread_mutex_unlock(&t->lock);
	engine_thread_nudge(t);
}

bool engine_thread_open(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool open = t->open && t->spool_ok && !t->drain;
	pthread_mutex_unlock(&t->lock);
	return open;
}

void engine_thread_submit(struct engine_thread *t, struct intake *intake)
{
	intake->next = NULL;
	pthread_mutex_lock(&t->lock);
	*t->intakes_last = intake;
	t->intakes_last = &intake->next;
	if (!intake_is_events(intake))
		t->urgent = t->nudged = true;
	if (!t->gathering || t->urgent)
		pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_command(struct engine_thread *t, struct command *command)
{
	command->next = NULL;
	pthread_mutex_lock(&t->lock);
	*t->commands_last = command;
	t->commands_last = &command->next;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_feed_read(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->coming.feed_unread = false;
	t->nudged = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_published(struct engine_thread *t, int64_t seq, uint64_t taken)
{
	pthread_mutex_lock(&t->lock);
	if (seq > t->coming.published)
		t->coming.published = seq;
	t->taken = taken;
	t->nudged = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

struct published_at_start engine_thread_published_at_start(const struct engine_thread *t)
{
	return engine_published_at_start(t->engine); /* which stays as it is */
}

void engine_thread_publish_again(struct engine_thread *t, int64_t seq)
{
	pthread_mutex_lock(&t->lock);
	/* Asked twice before a turn: from the earlier one. */
	if (!t->coming.again || seq < t->coming.again_after)
		t->coming.again_after = seq;
	t->coming.again = true;
	t->nudged = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_set_templates(struct engine_thread *t, struct templates *templates)
{
	pthread_mutex_lock(&t->lock);
	templates_unref(t->templates);
	t->templates = templates_ref(templates);
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

void engine_thread_reload(struct engine_thread *t, const struct settings *settings)
{
	pthread_mutex_lock(&t->lock);
	t->reload = settings;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

const struct settings *engine_thread_settings(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	const struct settings *settings = t->settings;
	pthread_mutex_unlock(&t->lock);
	return settings;
}

struct effects *engine_thread_take(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	struct effects *effects = t->effects;
	t->effects = NULL;
	t->effects_last = &t->effects;
	pthread_mutex_unlock(&t->lock);
	return effects;
}

bool engine_thread_stalled(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	int64_t last_ms = t->last_turn_ms;
	pthread_mutex_unlock(&t->lock);
	return clock_tick().ms - last_ms >= STALLED_MS;
}

int64_t engine_thread_turns(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	int64_t turns = t->turns;
	pthread_mutex_unlock(&t->lock);
	return turns;
}

void engine_thread_prove(struct engine_thread *t)
{
	int64_t now_ms = clock_tick().ms;
	pthread_mutex_lock(&t->lock);
	if (now_ms - t->proved_ms >= PROVE_EVERY_MS) {
		t->proved_ms = now_ms;
		t->coming.prove = t->nudged = true;
		pthread_cond_signal(&t->come);
	}
	pthread_mutex_unlock(&t->lock);
}

bool engine_thread_fault(struct engine_thread *t, int i, struct error *ret)
{
	struct error faults[2] = {{0}};
	pthread_mutex_lock(&t->lock);
	if (!t->spool_ok)
		faults[0] = t->shown_fault;
	pthread_mutex_unlock(&t->lock);
	(void)office_thread_well(t->office, &faults[1]);
	if (faults[0].code == 0) {
		faults[0] = faults[1];
		faults[1].code = 0;
	}
	if (i > 1 || faults[i].code == 0)
		return false;
	*ret = faults[i];
	return true;
}

bool engine_thread_gives_up(struct engine_thread *t, bool has_standby, struct error *ret_why)
{
	pthread_mutex_lock(&t->lock);
	bool long_enough = !t->spool_ok && t->shown_fault.code == EX_IOERR &&
	                   clock_tick().ms - t->failing_ms >= GIVES_UP_MS;
	bool gives_up = t->journal_over || (has_standby && long_enough);
	if (gives_up)
		*ret_why = t->shown_fault;
	pthread_mutex_unlock(&t->lock);
	return gives_up;
}

void engine_thread_drain(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->drain = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
}

/* ---- Start and stop ---- */

static void nudge(void *arg)
{
	engine_thread_nudge(arg);
}

struct engine_thread *engine_thread_start(const struct settings *settings,
                                          const struct engine_journal *journal, engine_wake *wake,
                                          void *arg, struct error *err)
{
	struct engine *engine = engine_open_journaled(settings, journal, clock_now(), err);
	if (engine == NULL)
		return NULL;
	struct engine_thread *t = mem_alloc(sizeof *t);
	t->engine = engine;
	t->settings = settings;
	t->wake = wake;
	t->arg = arg;
	t->look_ms = journal ? LOOK_OWNER_MS : LOOK_EVERY_MS;
	t->open = t->spool_ok = true;
	t->coming.feed_unread = *settings->redis.customers;
	t->next = INSTANT_NEVER;
	t->intakes_last = &t->intakes;
	t->commands_last = &t->commands;
	t->last_turn_ms = clock_tick().ms;
	t->effects_last = &t->effects;
	t->results = mem_alloc(RESULTS_A_TURN * sizeof *t->results);
	pthread_mutex_init(&t->lock, NULL);
	mono_cond_init(&t->come);
	engine_read_keys(t);
	engine_show_metrics(t);
	t->office = office_thread_start(settings->customers.path, settings->spool.path, nudge, t);
	if (pthread_create(&t->thread, NULL, engine_main_loop, t) != 0)
		bug("can't start the engine's thread");
	return t;
}

/* A last turn has some seconds; what it still reads in customers.db then is ended, and the turn
 * with it. */
static void join(struct engine_thread *t)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LAST_TURN_S;
	if (pthread_clockjoin_np(t->thread, NULL, CLOCK_MONOTONIC, &until) == 0)
		return;
	engine_interrupt(t->engine);
	pthread_join(t->thread, NULL);
}

static void free_unread(struct engine_thread *t)
{
	struct effects *unread = mem_alloc(sizeof *unread);
	unread->done = t->intakes;
	unread->commands = t->commands;
	effects_free(unread);
}

struct engine_thread *engine_thread_stop(struct engine_thread *t)
{
	if (t == NULL)
		return NULL;
	if (t->new_pool != NULL)
		pool_set_wake(t->new_pool, NULL, NULL);
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->come);
	pthread_mutex_unlock(&t->lock);
	join(t);
	office_thread_stop(t->office);
	engine_close(t->engine);
	templates_unref(t->templates);
	effects_free(t->effects);
	free_unread(t);
	free(t->results);
	free(t->disks);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->come);
	free(t);
	return NULL;
}
