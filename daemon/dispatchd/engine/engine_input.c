/* SPDX-License-Identifier: MIT */
/* What a turn is given: whatever has gathered since the one before, bounded. */
#include "dispatchd/engine/engine_thread_private.h"

#include "common/clock.h"
#include "dispatchd/sys/log.h"
#include "mail/token.h"

enum {
	FEED_WAIT_MS = 8000, /* how long events wait for customers of the feed */
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

static size_t left_of(const struct intake *intake)
{
	return intake->n - intake->given;
}

static size_t events_queued(const struct engine_thread *t)
{
	size_t n = 0;
	for (const struct intake *intake = t->intakes; intake != NULL; intake = intake->next)
		n += intake_is_events(intake) ? left_of(intake) : 0;
	return n;
}

/* Whether events have waited for room as long as they may: never for long where mails go slowly,
 * since later events of a job supersede them. */
static bool waited_for_room(struct engine_thread *t)
{
	int64_t now_ms = clock_tick().ms;
	if (t->room_since_ms == 0 || now_ms - t->room_since_ms < ROOM_WAIT_MS)
		return false;
	if (t->mails - t->room_mails < ROOM_WAIT_MAILS ||
	    engine_mails_left(t->engine) > ROOM_WAIT_LEFT)
		return true;
	t->room_since_ms = now_ms;
	t->room_mails = t->mails;
	return false;
}

/*
 * How many events may be taken now. Those for whose mails there is no room would only come into the
 * spool and out of it again, so they wait in Redis. While no relay is usable there is nothing to
 * wait for. With many waiting, they come by the batch.
 */
static size_t events_wanted(struct engine_thread *t)
{
	struct pool_load load = {0};
	if (t->pool != NULL && !t->drain && !t->stop)
		load = pool_load(t->pool);
	if (!load.up || engine_sending_paused(t->engine) || waited_for_room(t)) {
		t->room_since_ms = 0;
		return SIZE_MAX;
	}
	size_t room = load.room < ROOM_A_TURN ? load.room : ROOM_A_TURN;
	size_t left = engine_mails_left(t->engine);
	room = left < room ? room - left : 0;
	bool batch = room >= load.places / 2 || load.queued == 0;
	return batch || events_queued(t) <= room ? room : 0;
}

static void note_wait_for_room(struct engine_thread *t)
{
	if (!t->waiting_for_room) {
		t->room_since_ms = 0;
	} else if (t->room_since_ms == 0) {
		t->room_since_ms = clock_tick().ms;
		t->room_mails = t->mails;
	}
}

static void take_entries(struct engine_input *in, struct intake *intake, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		in->entries = arena_grow(in->arena, in->entries, in->turn.n_entries,
		                         &in->entries_cap, sizeof *in->entries);
		in->entries[in->turn.n_entries++] = &intake->entries[intake->given + i];
	}
	in->bytes += intake->n > 0 ? intake->bytes * n / intake->n : 0;
	intake->given += n;
}

/* Of one intake of events, as many as are wanted. True where it waits with the rest of them. */
static bool take_events(struct engine_input *in, struct intake *intake, size_t *wanted)
{
	size_t n = left_of(intake) < *wanted ? left_of(intake) : *wanted;
	take_entries(in, intake, n);
	*wanted -= n;
	return left_of(intake) > 0;
}

/* Whether the intake goes with the turn as a whole, or with the last of it. */
static bool take_intake(struct engine_thread *t, struct engine_input *in, struct intake *intake,
                        size_t *wanted)
{
	if (!intake_is_events(intake)) {
		take_entries(in, intake, left_of(intake));
		return true;
	}
	t->waiting_for_room = t->waiting_for_room || take_events(in, intake, wanted);
	return left_of(intake) == 0;
}

static void take_intakes(struct engine_thread *t, struct engine_input *in)
{
	struct intake **last = &in->intakes, **at = &t->intakes;
	bool feed = feed_first(t);
	size_t wanted = events_wanted(t);
	t->waiting_for_feed = t->waiting_for_room = false;
	while (*at != NULL && in->turn.n_entries < ENTRIES_A_TURN && in->bytes < BYTES_A_TURN) {
		struct intake *intake = *at;
		bool waits = feed && !is_feed(intake);
		t->waiting_for_feed |= waits;
		if (waits || !take_intake(t, in, intake, &wanted)) {
			at = &intake->next;
			continue;
		}
		*at = intake->next;
		intake->next = NULL;
		*last = intake;
		last = &intake->next;
	}
	note_wait_for_room(t);
	t->intakes_last = &t->intakes;
	while (*t->intakes_last != NULL)
		t->intakes_last = &(*t->intakes_last)->next;
}

void engine_input_set_commands(struct engine_input *in, struct command *list)
{
	size_t n = 0;
	for (const struct command *c = list; c != NULL; c = c->next)
		n++;
	struct turn_command *commands = arena_new_array(in->arena, n, struct turn_command);
	in->turn.n_commands = 0;
	for (const struct command *c = list; c != NULL; c = c->next)
		commands[in->turn.n_commands++] = (struct turn_command){
		        .text = c->text, .bytes = c->bytes, .n_bytes = c->n_bytes};
	in->turn.commands = commands;
	in->commands = list;
}

void engine_read_keys(struct engine_thread *t)
{
	const struct settings *settings = t->settings;
	struct token_keys keys = {0};
	struct error err;
	if (*settings->bounce.address == '\0' ||
	    token_keys_read(settings->bounce.key_file, &keys, &err))
		engine_set_token_keys(t->engine, &keys);
	else
		log_fault(LOG_ERR, "[bounce] key_file: the old keys stay in use: %s", err.text);
	token_keys_wipe(&keys);
}

/* What is for the engine itself, and what came before the thread's queues are read. */
static void take_news(struct engine_thread *t)
{
	pthread_mutex_lock(&t->lock);
	bool reloaded = t->reload != NULL;
	t->nudged = t->urgent = false; /* who comes from here on is heard again */
	t->pool = t->new_pool;
	if (reloaded) {
		t->settings = t->reload;
		engine_reload(t->engine, t->reload);
		t->reload = NULL;
	}
	if (t->templates != NULL) {
		engine_set_templates(t->engine, t->templates);
		t->templates = templates_unref(t->templates);
	}
	pthread_mutex_unlock(&t->lock);
	if (reloaded)
		engine_read_keys(t);
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
	t->coming.again = false;
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
	ret->turn.entries = ret->entries;
	engine_input_set_commands(ret, commands);
	ret->turn.office_writes_done =
	        office_thread_take(t->office, ret->arena, &ret->turn.n_office_writes_done);
}

void engine_input_free(struct engine_input *in)
{
	in->arena = arena_free(in->arena);
}
