/* SPDX-License-Identifier: MIT */
/*
 * Released jobs against which a suspension takes effect before they start are recalled: each is a
 * collision, and the office gets one mail for all jobs that a customer's suspension recalls.
 */
#include "engine/recall.h"

#include "engine/context.h"
#include "engine/context_parts.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/gate_watch.h"
#include "engine/mail_create.h"
#include "engine/outcome.h"
#include "engine/sweep.h"
#include "mail/context.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { WATCHED_A_TURN = 2000 };

/* What one mail reports to the office: the jobs that one customer's suspension recalls, the sites'
 * too. */
struct recall {
	struct recall *next;
	const char *number; /* whose suspension it is */
	struct recalled *first, **end;
	struct spool_mail mail;
	bool made; /* the mail: there is an office */
};

/* One job on the way, in the list of its mail and in that of all. */
struct recalled {
	struct recalled *next, *after;
	struct recall *recall;
	struct spool_event event;
	const struct suspension *suspension;
};

struct all_recalls {
	struct recall *recalls;
	struct recalled *first, **end;
};

static struct recall *recall_of(struct engine *engine, const char *number, struct all_recalls *all)
{
	struct recall **at = &all->recalls;
	while (*at != NULL && strcmp((*at)->number, number) != 0)
		at = &(*at)->next;
	if (*at != NULL)
		return *at;
	struct recall *recall = arena_new_array(engine->arena, 1, struct recall);
	*recall = (struct recall){.number = number, .end = &recall->first};
	*at = recall;
	return recall;
}

/* A job is recalled once, however often it was asked for. */
static void recall_job(struct engine *engine, struct spool_request *request,
                       const struct suspension *suspension, struct all_recalls *all)
{
	struct recalled *recalled = arena_new_array(engine->arena, 1, struct recalled);
	*recalled = (struct recalled){
	        .recall = recall_of(engine, suspension->customer, all),
	        .event = {.job = request->job, .event = request->event},
	        .suspension = suspension,
	};
	*recalled->recall->end = recalled;
	recalled->recall->end = &recalled->next;
	*all->end = recalled;
	all->end = &recalled->after;
	request->watched = GATE_WATCH_NONE;
	spool_unwatch_job(engine->spool, request->job);
}

static json_t *jobs_json(struct engine *engine, const struct recall *recall)
{
	json_t *jobs = json_array();
	size_t room = MAIL_DATA_MAX;
	for (const struct recalled *at = recall->first; at != NULL; at = at->next)
		json_array_append_new(jobs, engine_job_json(engine, &at->event, &room));
	return jobs;
}

/* The customer whose jobs they are; where they are several sites', whose suspension it is. */
static const struct customer *whose(struct engine *engine, const struct recall *recall)
{
	const char *number = recall->first->event.event.customer;
	for (const struct recalled *at = recall->first; at != NULL; at = at->next) {
		if (strcmp(at->event.event.customer, number) != 0)
			number = recall->number;
	}
	return engine_customer(engine, number);
}

static void make_mail(struct engine *engine, struct recall *recall)
{
	json_t *context = json_object(), *jobs = jobs_json(engine, recall);
	const struct customer *customer = whose(engine, recall);
	json_object_set(context, "job", json_array_get(jobs, 0));
	json_object_set_new(context, "jobs", jobs);
	if (customer != NULL)
		json_object_set_new(context, "customer", context_customer_json(customer, NULL));
	json_object_set_new(context, "suspension",
	                    context_suspension_json(recall->first->suspension));
	json_object_set_new(context, "company", context_company_json(engine->settings));
	context_complete(context);
	char *text = json_dumps(context, JSON_COMPACT);
	recall->made = text != NULL && engine_create_recall_mail(engine, &recall->first->event,
	                                                         text, &recall->mail);
	free(text);
	json_decref(context);
}

static void publish_collision(struct engine *engine, const struct recalled *recalled)
{
	const struct recall *recall = recalled->recall;
	struct outcome_facts facts = {
	        .mail = recall->made ? &recall->mail : NULL,
	        .to = recall->made ? engine->settings->office.email : NULL,
	        .suspension = recalled->suspension,
	        .due = INSTANT_NONE,
	};
	engine_outcome(engine, &recalled->event, STATUS_COLLISION, REASON_SUSPENDED, &facts);
}

static void recheck(struct engine *engine, int64_t id, struct all_recalls *all)
{
	struct spool_request request;
	engine->stats.rechecks++;
	if (!spool_request_load(engine->spool, id, engine->arena, &request) ||
	    request.watched == GATE_WATCH_NONE)
		return;
	struct spool_request before = request;
	const struct suspension *suspension = engine_watched_suspension(engine, &request);
	if (suspension != NULL)
		recall_job(engine, &request, suspension, all);
	if (request.recheck.ms != before.recheck.ms || request.watched != before.watched)
		spool_request_move(engine->spool, &request, request.status, request.reason,
		                   engine->now);
}

void engine_recall_jobs(struct engine *engine)
{
	struct sweep *sweep = &engine->sweeps.of[RECHECK_WATCHED];
	int64_t ids[WATCHED_A_TURN];
	struct all_recalls all = {.end = &all.first};
	struct instant until = engine_sweep_begin(engine, sweep);
	size_t n = spool_requests_watched(engine->spool, until, sweep->listed, sweep->after, ids,
	                                  WATCHED_A_TURN);
	size_t max = WATCHED_A_TURN;
	for (size_t i = 0; i < n && i < max && !spool_failed(engine->spool); i++) {
		recheck(engine, ids[i], &all);
		if (engine_turn_is_full(engine))
			max = i + 1;
	}
	for (struct recall *at = all.recalls; at != NULL; at = at->next)
		make_mail(engine, at);
	for (struct recalled *at = all.first; at != NULL; at = at->after)
		publish_collision(engine, at);
	engine_sweep_end(engine, sweep, ids, n < max ? n : max, max);
}
