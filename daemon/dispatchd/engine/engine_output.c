/* SPDX-License-Identifier: MIT */
/* A turn's output: mails go to the mailers, the rest to the loop. */
#include "dispatchd/engine/engine_thread_private.h"

#include "common/clock.h"
#include "model/message.h"
#include "model/request.h"

#include <jansson.h>
#include <stdlib.h>
#include <syslog.h>

/* Under the lock. */
static void add_effects(struct engine_thread *t, struct effects *effects)
{
	*t->effects_last = effects;
	t->effects_last = &effects->next;
}

static void dispatch_mails(struct engine_thread *t, struct turn_output *out)
{
	if (out->n_recalled > 0 && t->pool != NULL)
		pool_recall(t->pool, out->recalled, out->n_recalled);
	t->mails += out->n_outgoing;
	for (size_t i = 0; i < out->n_outgoing; i++) {
		pool_put(t->pool, out->outgoing[i]);
		out->outgoing[i] = NULL;
	}
}

static void dispatch_office_writes(struct engine_thread *t, struct turn_output *out)
{
	if (out->office_sent != 0)
		office_thread_drop(t->office, out->office_sent);
	if (out->office_writes != NULL)
		office_thread_give(t->office, out->office_writes);
	out->office_writes = NULL;
}

/* What the thread itself needs for the turns to come. */
static void note_turn(struct engine_thread *t, const struct engine_input *in,
                      const struct turn_output *out)
{
	t->next = out->next;
	t->more = out->more || in->turn.n_results == RESULTS_A_TURN ||
	          (t->waiting_for_feed && !engine_feed_pending(t->engine));
	if (out->publications != NULL)
		t->handed += out->publications->weight;
}

void engine_give(struct engine_thread *t, struct engine_input *in, struct effects *effects)
{
	struct turn_output *out = &effects->out;
	dispatch_mails(t, out);
	dispatch_office_writes(t, out);
	note_turn(t, in, out);
	effects->done = in->intakes;
	effects->commands = in->commands;
	bool open = engine_open_for_intake(t->engine);
	pthread_mutex_lock(&t->lock);
	if (!t->spool_ok)
		turn_output_report(out, LOG_NOTICE, false,
		                   t->lacks ? "customers.db is used again" : "spool written again");
	bool news = effects->done || effects->commands || out->publications || out->n_reports > 0;
	bool wake = news || open != t->open;
	if (news)
		add_effects(t, effects);
	t->spool_ok = true;
	t->open = open;
	t->turns++;
	pthread_mutex_unlock(&t->lock);
	if (!news)
		effects_free(effects);
	if (wake)
		t->wake(t->arg);
}

void engine_report_failed(struct engine_thread *t, const struct error *err)
{
	pthread_mutex_lock(&t->lock);
	bool first = t->spool_ok;
	t->spool_ok = false;
	t->shown_fault = *err;
	t->lacks = engine_lacks_customers(t->engine);
	t->journal_over = engine_journal_over(t->engine);
	if (first) {
		t->failing_ms = clock_tick().ms;
		struct effects *effects = mem_alloc(sizeof *effects);
		turn_output_report(&effects->out, LOG_ERR | MESSAGE_NOT_COMMITTED, false,
		                   err->text);
		add_effects(t, effects);
	}
	pthread_mutex_unlock(&t->lock);
	if (first || t->journal_over)
		t->wake(t->arg);
}

/* Under the lock: the commands of the failed turn, then those that have come since. An adoption
 * that has come since may end what makes turns fail: it is kept for the next one. */
static struct command *take_unanswered(struct engine_thread *t, struct engine_input *in)
{
	struct command *all = in->commands, **last = &all, *kept = NULL, *next;
	while (*last != NULL)
		last = &(*last)->next;
	for (struct command *c = t->commands; c != NULL; c = next) {
		next = c->next;
		struct command **to = kept == NULL && engine_is_adoption(c->text) ? &kept : last;
		c->next = NULL;
		*to = c;
		last = to == last ? &c->next : last;
	}
	engine_input_set_commands(in, kept);
	t->commands = NULL;
	t->commands_last = &t->commands;
	return all;
}

/* Every command of the effects gets the same reply. */
static void reply_to_all(struct effects *effects, const struct error *err)
{
	struct turn_output *out = &effects->out;
	json_t *fault = control_fault(err);
	char *text = fault ? json_dumps(fault, JSON_COMPACT) : NULL;
	size_t n = 0, cap = 0;
	out->arena = arena_new();
	const char *reply = arena_strdup(out->arena, text ? text : "{\"ok\":false}");
	for (const struct command *c = effects->commands; c != NULL; c = c->next) {
		out->replies = arena_grow(out->arena, out->replies, n, &cap, sizeof reply);
		out->replies[n++] = reply;
	}
	free(text);
	json_decref(fault);
}

void engine_refuse(struct engine_thread *t, struct engine_input *in, const struct error *err)
{
	pthread_mutex_lock(&t->lock);
	struct command *refused = take_unanswered(t, in);
	if (refused != NULL) {
		struct effects *effects = mem_alloc(sizeof *effects);
		effects->commands = refused;
		reply_to_all(effects, err);
		add_effects(t, effects);
	}
	pthread_mutex_unlock(&t->lock);
	if (refused != NULL)
		t->wake(t->arg);
}
