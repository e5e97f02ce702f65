/* SPDX-License-Identifier: MIT */
/* What a turn gave: mails to the mailers, the rest to the loop. */
#include "dispatchd/engine/engine_thread_private.h"

#include <jansson.h>
#include <stdlib.h>
#include <syslog.h>

static struct publications *publications_of(struct engine_thread *t, const struct turn *turn)
{
	struct publications *p = mem_alloc(sizeof *p);
	p->arena = arena_new();
	p->n = turn->n_outcomes;
	p->rows = arena_new_array(p->arena, p->n, struct publication);
	for (size_t i = 0; i < p->n; i++) {
		const struct spool_outcome *outcome = &turn->outcomes[i];
		struct publication *row = &p->rows[i];
		row->seq = outcome->seq;
		row->job = outcome->job;
		row->weight = spool_outcome_weight(outcome);
		t->handed += row->weight;
		row->stream = arena_strdup(p->arena,
		                           engine_outcome_stream(t->engine, outcome, &row->maxlen));
		row->at_most = outcome->outbox == OUTBOX_DEAD;
		row->fields = engine_outcome_fields(t->engine, outcome, p->arena, &row->n_fields);
	}
	return p;
}

static void add_report(struct engine_thread *t, int level, bool counted, const char *text)
{
	struct report *report = mem_alloc(sizeof *report);
	report->level = level;
	report->counted = counted;
	report->text = mem_strdup(text);
	*t->reports_last = report;
	t->reports_last = &report->next;
}

static void add_replies(struct engine_thread *t, struct engine_input *in, const struct turn *turn)
{
	size_t i = 0;
	for (struct command *c = in->commands; c != NULL; c = c->next) {
		free(c->text);
		c->text = mem_strdup(turn->replies[i++]);
	}
	*t->replies_last = in->commands;
	while (*t->replies_last != NULL)
		t->replies_last = &(*t->replies_last)->next;
}

static void dispatch_letters(struct engine_thread *t, struct turn *turn)
{
	if (turn->n_recalled > 0 && t->pool != NULL)
		pool_recall(t->pool, turn->recalled, turn->n_recalled);
	for (size_t i = 0; i < turn->n_outgoing; i++) {
		pool_put(t->pool, turn->outgoing[i]);
		turn->outgoing[i] = NULL;
	}
	turn->n_outgoing = 0;
}

void engine_give(struct engine_thread *t, struct engine_input *in, struct turn *turn)
{
	dispatch_letters(t, turn);
	if (turn->n_office_writes > 0)
		office_thread_give(t->office, turn->office_writes, turn->n_office_writes);
	struct publications *p = turn->n_outcomes > 0 ? publications_of(t, turn) : NULL;
	t->published_seen = in->published > t->published_seen ? in->published : t->published_seen;
	t->next = turn->next;
	t->more = turn->more || in->n_results == RESULTS_A_TURN ||
	          (t->waiting_for_feed && !engine_feed_pending(t->engine));
	bool open = engine_open_for_intake(t->engine);
	pthread_mutex_lock(&t->lock);
	bool news = in->intakes || in->commands || p || turn->n_reports > 0 || open != t->open ||
	            !t->spool_ok;
	*t->done_last = in->intakes;
	while (*t->done_last != NULL)
		t->done_last = &(*t->done_last)->next;
	if (p != NULL) {
		*t->publications_last = p;
		t->publications_last = &p->next;
	}
	add_replies(t, in, turn);
	for (size_t i = 0; i < turn->n_reports; i++)
		add_report(t, turn->reports[i].level, turn->reports[i].counted,
		           turn->reports[i].text);
	if (!t->spool_ok)
		add_report(t, LOG_NOTICE, true,
		           t->lacks ? "customers.db is used again" : "spool written again");
	t->spool_ok = true;
	t->open = open;
	t->turns++;
	pthread_mutex_unlock(&t->lock);
	if (news)
		t->wake(t->arg);
}

void engine_say_failed(struct engine_thread *t, const struct error *err)
{
	pthread_mutex_lock(&t->lock);
	bool first = t->spool_ok;
	t->spool_ok = false;
	t->shown_fault = *err;
	t->lacks = engine_lacks_customers(t->engine);
	if (first)
		add_report(t, LOG_ERR, true, err->text);
	pthread_mutex_unlock(&t->lock);
	if (first)
		t->wake(t->arg);
}

/* Under the lock: the commands of the failed turn, then those that have come since. An adoption
 * that has come since may end what makes turns fail: it stays, for the next one. */
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
	in->commands = kept;
	in->n_commands = kept != NULL;
	free(in->texts);
	in->texts = mem_alloc(sizeof *in->texts);
	in->texts[0] = kept != NULL ? kept->text : NULL;
	t->commands = NULL;
	t->commands_last = &t->commands;
	return all;
}

void engine_refuse(struct engine_thread *t, struct engine_input *in, const struct error *err)
{
	json_t *fault =
	        json_pack("{s:b, s:i, s:s}", "ok", 0, "code", err->code, "error", err->text);
	char *text = fault ? json_dumps(fault, JSON_COMPACT) : NULL;
	pthread_mutex_lock(&t->lock);
	struct command *refused = take_unanswered(t, in);
	for (struct command *c = refused; c != NULL; c = c->next) {
		free(c->text);
		c->text = mem_strdup(text ? text : "{\"ok\":false}");
		*t->replies_last = c;
		t->replies_last = &c->next;
	}
	pthread_mutex_unlock(&t->lock);
	if (refused != NULL)
		t->wake(t->arg);
	free(text);
	json_decref(fault);
}

void engine_show_metrics(struct engine_thread *t)
{
	struct buf text = {0};
	engine_metrics(t->engine, &text);
	pthread_mutex_lock(&t->lock);
	free(t->metrics);
	t->metrics = buf_take(&text);
	pthread_mutex_unlock(&t->lock);
}
