/* SPDX-License-Identifier: MIT */
/* The thread itself: one turn after another, asleep while there is nothing to do. */
#include "dispatchd/engine/engine_thread_private.h"

#include "common/clock.h"
#include "dispatchd/sys/lease_clock.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/mono_cond.h"

#include <sys/random.h>

enum {
	TURN_EVERY_MS = 4000, /* at least */
	LARGE_ENTRY_BYTES = 8 * 1024,
	ROOM_BYTES_A_TURN = 2 << 20,
	UNPUBLISHED_MAX = 4096, /* what outcomes may weigh that Redis hasn't got: 4 MiB */
	AGAIN_FIRST_MS = 100,   /* after a turn that failed, doubling */
	AGAIN_MAX_MS = 5000,
	BUSY_QUEUED = 128, /* mails that keep the mailers busy for longer than a batch gathers */
	GATHER_MS = 8,
};

static size_t room_of(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool none = t->pool == NULL || t->drain || !lease_clock_allows();
	pthread_mutex_unlock(&t->lock);
	if (none)
		return 0;
	size_t room = pool_room(t->pool);
	return room < ROOM_A_TURN ? room : ROOM_A_TURN;
}

/* What the thread itself knows, as of now: the rest of the input has come before. */
static void complete_input(struct engine_thread *t, struct engine_input *in)
{
	struct turn_input *turn = &in->turn;
	size_t out = (size_t)(t->handed - in->taken);
	turn->now = clock_now();
	turn->tick = clock_tick();
	turn->room = room_of(t);
	turn->room_bytes = ROOM_BYTES_A_TURN;
	turn->outcomes_max = out < UNPUBLISHED_MAX ? UNPUBLISHED_MAX - out : 0;
	turn->office_writes_wanted = office_thread_idle(t->office);
	turn->debug = log_takes(LOG_DEBUG);
	turn->terse = !log_takes(LOG_INFO);
	if (getrandom(&turn->random, sizeof turn->random, 0) < 0)
		turn->random = 0;
}

static bool turn_once(struct engine_thread *t, struct engine_input *in)
{
	int64_t began = clock_usec();
	struct effects *effects = mem_alloc(sizeof *effects);
	complete_input(t, in);
	bool ok = engine_turn(t->engine, &in->turn, &effects->out, &t->fault);
	bool large = in->bytes > in->turn.n_entries * LARGE_ENTRY_BYTES ||
	             effects->out.outgoing_bytes >= ROOM_BYTES_A_TURN;
	if (ok)
		engine_turn_took(t->engine, (double)(clock_usec() - began) / 1e6);
	engine_show_metrics(t); /* first: whoever sees an outcome finds it counted */
	if (ok) {
		engine_give(t, in, effects);
	} else {
		effects_free(effects);
		engine_report_failed(t, &t->fault);
	}
	if (large)
		mem_trim(); /* what JSON takes is many times its text, in small blocks */
	return ok;
}

/* Waits until there is something to do, or for `ms`. Returns whether something came. */
static bool wait_ms(struct engine_thread *t, int64_t ms)
{
	int64_t until_ms = clock_tick().ms + ms;
	bool came = true;
	pthread_mutex_lock(&t->lock);
	t->last_turn_ms = clock_tick().ms;
	while (came && !t->stop && !t->nudged &&
	       (t->intakes == NULL || t->waiting_for_feed || t->waiting_for_room) &&
	       t->commands == NULL && t->reload == NULL && t->templates == NULL)
		came = mono_cond_wait(&t->come, &t->lock, until_ms);
	pthread_mutex_unlock(&t->lock);
	return came;
}

static bool due(const struct engine_thread *t)
{
	return !instant_before(clock_now(), t->next);
}

/* Sleeps until a turn is worth its while. */
static void wait_for_work(struct engine_thread *t)
{
	if (t->more)
		return;
	int64_t began = clock_tick().ms;
	for (;;) {
		struct instant now = clock_now();
		int64_t left = t->next.ms - now.ms;
		/* Set back: the engine puts right what waits. */
		if (engine_clock_set(t->engine, now, clock_tick()) < 0)
			return;
		if (left <= 0 || engine_customers_changed(t->engine))
			return;
		int64_t most = t->waiting_for_room ? ROOM_WAIT_MS : t->look_ms;
		if (wait_ms(t, left < most ? left : most) || due(t) || t->waiting_for_feed ||
		    t->waiting_for_room)
			return;
		if (clock_tick().ms - began >= TURN_EVERY_MS)
			return;
	}
}

/* A millisecond, unless something comes that doesn't wait for a batch. */
static bool gather_on(struct engine_thread *t)
{
	int64_t until_ms = clock_tick().ms + 1;
	bool in_time = true;
	pthread_mutex_lock(&t->lock);
	t->gathering = true;
	while (in_time && !t->stop && !t->drain && !t->urgent && t->commands == NULL)
		in_time = mono_cond_wait(&t->come, &t->lock, until_ms);
	t->gathering = false;
	pthread_mutex_unlock(&t->lock);
	return !in_time;
}

/* While mailers have more to do than they can in that time, a commit is made for more at once. */
static void gather(struct engine_thread *t)
{
	for (int ms = 0; ms < GATHER_MS && !t->more && t->pool != NULL; ms++) {
		if (pool_load(t->pool).queued <= BUSY_QUEUED || !gather_on(t))
			return;
	}
}

static bool stopping(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool stop = t->stop;
	t->last_turn_ms = clock_tick().ms;
	pthread_mutex_unlock(&t->lock);
	return stop;
}

/* Until then, or until there is a command or a stop. False when the time is over. */
static bool wait_until(struct engine_thread *t, int64_t until_ms)
{
	bool in_time = true;
	pthread_mutex_lock(&t->lock);
	while (in_time && !t->stop && t->commands == NULL)
		in_time = mono_cond_wait(&t->come, &t->lock, until_ms);
	pthread_mutex_unlock(&t->lock);
	return in_time;
}

/* Waits longer after each turn that fails, but not for a file that is back; false when it is time
 * to stop. */
static bool again(struct engine_thread *t, struct engine_input *in)
{
	t->again_ms = t->again_ms == 0 ? AGAIN_FIRST_MS : t->again_ms * 2;
	int64_t max_ms = engine_lacks_customers(t->engine) ? t->look_ms : AGAIN_MAX_MS;
	if (t->again_ms > max_ms)
		t->again_ms = max_ms;
	int64_t until_ms = clock_tick().ms + t->again_ms;
	do
		engine_refuse(t, in, &t->fault);
	while (in->turn.n_commands == 0 && !stopping(t) && wait_until(t, until_ms));
	return !stopping(t);
}

void *engine_main_loop(void *arg)
{
	struct engine_thread *t = arg;
	(void)pthread_setname_np(pthread_self(), "engine");
	for (bool stop = false; !stop;) {
		stop = stopping(t);
		struct engine_input in;
		engine_input_take(t, &in);
		bool ok;
		while (!(ok = turn_once(t, &in)) && again(t, &in))
			;
		if (!ok) { /* it never came to disk: Redis has it still */
			while (in.intakes != NULL) {
				struct intake *intake = in.intakes;
				in.intakes = intake->next;
				intake_free(intake);
			}
			stop = true;
		}
		t->again_ms = 0;
		engine_input_free(&in);
		if (stop)
			break;
		gather(t);
		wait_for_work(t);
	}
	return NULL;
}
