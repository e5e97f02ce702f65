/* SPDX-License-Identifier: MIT */
/* What a turn is given: whatever has gathered since the one before, bounded. */
#include "dispatchd/engine/engine_thread_private.h"

#include "common/clock.h"

#include <stdlib.h>

enum { FEED_WAIT_MS = 8000 }; /* how long events wait for customers of the feed */

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

static void take_intakes(struct engine_thread *t, struct engine_input *in)
{
	struct intake **last = &in->intakes, **at = &t->intakes;
	bool feed = feed_first(t);
	t->waiting_for_feed = false;
	while (*at != NULL && in->n_entries < ENTRIES_A_TURN && in->bytes < BYTES_A_TURN) {
		struct intake *intake = *at;
		if (feed && !is_feed(intake)) {
			t->waiting_for_feed = true;
			at = &intake->next;
			continue;
		}
		*at = intake->next;
		intake->next = NULL;
		*last = intake;
		last = &intake->next;
		in->n_entries += intake->n;
		in->bytes += intake->bytes;
	}
	t->intakes_last = &t->intakes;
	while (*t->intakes_last != NULL)
		t->intakes_last = &(*t->intakes_last)->next;
}

static void take_commands(struct engine_thread *t, struct engine_input *in)
{
	in->commands = t->commands;
	t->commands = NULL;
	t->commands_last = &t->commands;
	for (struct command *c = in->commands; c != NULL; c = c->next)
		in->n_commands++;
}

/* Arrays as the turn wants them. */
static void spread(struct engine_input *in)
{
	size_t n = 0;
	in->entries = mem_alloc(in->n_entries * sizeof(struct entry *));
	for (struct intake *intake = in->intakes; intake != NULL; intake = intake->next) {
		for (size_t i = 0; i < intake->n; i++)
			in->entries[n++] = &intake->entries[i];
	}
	n = 0;
	in->texts = mem_alloc(in->n_commands * sizeof(char *));
	for (struct command *c = in->commands; c != NULL; c = c->next)
		in->texts[n++] = c->text;
}

void engine_input_take(struct engine_thread *t, struct engine_input *in)
{
	pthread_mutex_lock(&t->lock);
	take_intakes(t, in);
	take_commands(t, in);
	in->feed_unread = t->feed_unread || feed_queued(t);
	in->published = t->published;
	in->taken = t->taken;
	in->prove = t->prove;
	t->prove = false;
	t->pool = t->new_pool;
	if (t->reload != NULL) {
		t->settings = t->reload;
		engine_reload(t->engine, t->reload);
		t->reload = NULL;
	}
	t->nudged = false;
	pthread_mutex_unlock(&t->lock);
	spread(in);
	if (t->pool != NULL) {
		in->results = mem_alloc(RESULTS_A_TURN * sizeof *in->results);
		in->n_results = pool_take_results(t->pool, in->results, RESULTS_A_TURN);
	}
	in->office_writes = office_thread_take(t->office, &in->n_office_writes);
}

void engine_input_free(struct engine_input *in)
{
	free(in->entries);
	free(in->texts);
	free(in->results);
	free(in->office_writes);
	*in = (struct engine_input){0};
}
