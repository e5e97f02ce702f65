/* SPDX-License-Identifier: MIT */
/* What a turn is given: whatever has gathered since the one before, bounded. */
#include "dispatchd/engine/engine_thread_private.h"

#include "common/clock.h"

enum {
	FEED_WAIT_MS = 8000, /* how long events wait for customers of the feed */
	ROOM_LARGE = 64,     /* of room: enough for any batch */
};

static bool is_feed(const struct intake *intake)
{
	return intake->n > 0 && intake->entries[0].feed == FEED_CUSTOMERS;
}

static bool feed_queued(const struct engine_thread *t)
{
	const struct intake *intake = t->intakes;
	while (intake != NULL && !is_feed(intake))
		intake = intake->next;
	return intake != NULL;
}

/*
 * Customers of the feed come before the events: while some are in the queue, or on their way into
 * customers.db, events wait, but not for longer than FEED_WAIT_MS, since an import may have its
 * lock.
 */
static bool feed_first(struct engine_thread *t)
{
	bool queued = feed_queued(t);
	if (!queued && !engine_feed_pending(t->engine)) {
		t->feed_since_ms = 0;
		return false;
	}
	int64_t now_ms = clock_tick().ms;
	if (t->feed_since_ms == 0)
		t->feed_since_ms = now_ms;
	return queued || now_ms - t->feed_since_ms < FEED_WAIT_MS;
}

struct events_wanted {
	size_t n;
	bool any; /* one intake, however large */
};

/*
 * How many events may be taken now. Those for whose mails there is no room would only come into the
 * spool and out of it again, so they wait in Redis, but never for longer than ROOM_WAIT_MS: later
 * events of a job supersede mails, however slow the relay is. While no relay is usable there is
 * nothing to wait for, nor for mailers who wait for mails themselves.
 */
static struct events_wanted events_wanted(struct engine_thread *t)
{
	struct pool_load load = {0};
	if (t->pool != NULL && !t->drain && !t->stop)
		load = pool_load(t->pool);
	if (!load.up ||
	    (t->room_since_ms != 0 && clock_tick().ms - t->room_since_ms >= ROOM_WAIT_MS)) {
		t->room_since_ms = 0;
		return (struct events_wanted){.n = SIZE_MAX};
	}
	return (struct events_wanted){
	        .n = load.room < ROOM_A_TURN ? load.room : ROOM_A_TURN,
	        .any = load.room >= ROOM_LARGE || load.queued == 0,
	};
}

static bool has_room(const struct intake *intake, size_t events, struct events_wanted wanted)
{
	return (events <= wanted.n && intake->n <= wanted.n - events) ||
	       (events == 0 && wanted.any);
}

static void note_wait_for_room(struct engine_thread *t)
{
	if (!t->waiting_for_room)
		t->room_since_ms = 0;
	else if (t->room_since_ms == 0)
		t->room_since_ms = clock_tick().ms;
}

static void take_intakes(struct engine_thread *t, struct engine_input *in)
{
	struct intake **last = &in->intakes, **at = &t->intakes;
	bool feed = feed_first(t);
	struct events_wanted wanted = events_wanted(t);
	size_t events = 0;
	t->waiting_for_feed = t->waiting_for_room = false;
	while (*at != NULL && in->turn.n_entries < ENTRIES_A_TURN && in->bytes < BYTES_A_TURN) {
		struct intake *intake = *at;
		if (feed && !is_feed(intake)) {
			t->waiting_for_feed = true;
			at = &intake->next;
			continue;
		}
		if (intake_is_events(intake) &&
		    (t->waiting_for_room || !has_room(intake, events, wanted))) {
			t->waiting_for_room = true;
			at = &intake->next;
			continue;
		}
		events += intake_is_events(intake) ? intake->n : 0;
		*at = intake->next;
		intake->next = NULL;
		*last = intake;
		last = &intake->next;
		in->turn.n_entries += intake->n;
		in->bytes += intake->bytes;
	}
	note_wait_for_room(t);
	t->intakes_last = &t->intakes;
	while (*t->intakes_last != NULL)
		t->intakes_last = &(*t->intakes_last)->next;
}

static void spread_entries(struct engine_input *in)
{
	const struct entry **entries =
	        arena_new_array(in->arena, in->turn.n_entries, const struct entry *);
	size_t n = 0;
	for (struct intake *intake = in->intakes; intake != NULL; intake = intake->next) {
		for (size_t i = 0; i < intake->n; i++)
			entries[n++] = &intake->entries[i];
	}
	in->turn.entries = entries;
}

void engine_input_set_commands(struct engine_input *in, struct command *list)
{
	size_t n = 0;
	for (const struct command *c = list; c != NULL; c = c->next)
		n++;
	const char **texts = arena_new_array(in->arena, n, const char *);
	in->turn.n_commands = 0;
	for (const struct command *c = list; c != NULL; c = c->next)
		texts[in->turn.n_commands++] = c->text;
	in->turn.commands = texts;
	in->commands = list;
}

/* What is for the engine itself, and what came before the thread's queues are read. */
static void take_news(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->nudged = t->urgent = false; /* who comes from here on is heard again */
	t->pool = t->new_pool;
	if (t->reload != NULL) {
		t->settings = t->reload;
		engine_reload(t->engine, t->reload);
		t->reload = NULL;
	}
	if (t->templates != NULL) {
		engine_set_templates(t->engine, t->templates);
		t->templates = templates_unref(t->templates);
	}
	pthread_mutex_unlock(&t->lock);
}

static struct command *take_queues(struct engine_thread *t, struct engine_input *in)
{
	pthread_mutex_lock(&t->lock);
	in->turn = t->coming;
	in->taken = t->taken;
	take_intakes(t, in);
	struct command *commands = t->commands;
	t->commands = NULL;
	t->commands_last = &t->commands;
	in->turn.feed_unread |= feed_queued(t);
	t->coming.prove = false;
	pthread_mutex_unlock(&t->lock);
	return commands;
}

void engine_input_take(struct engine_thread *t, struct engine_input *ret)
{
	size_t n_results = 0;
	*ret = (struct engine_input){.arena = arena_new()};
	take_news(t);
	if (t->pool != NULL) /* first, since each result gives room */
		n_results = pool_take_results(t->pool, t->results, RESULTS_A_TURN);
	struct command *commands = take_queues(t, ret);
	ret->turn.results = t->results;
	ret->turn.n_results = n_results;
	spread_entries(ret);
	engine_input_set_commands(ret, commands);
	ret->turn.office_writes_done =
	        office_thread_take(t->office, ret->arena, &ret->turn.n_office_writes_done);
}

void engine_input_free(struct engine_input *in)
{
	in->arena = arena_free(in->arena);
}
