/* SPDX-License-Identifier: MIT */
/*
 * Released jobs against which a suspension takes effect before they start are recalled: each is a collision,
 * and the office gets one mail for all jobs that a customer's suspension recalls.
 */
#include "engine/recall.h"

#include "engine/context.h"
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

/* What the office is told in one mail: the jobs that one customer's suspension calls back, the sites' too. */
struct callback {
	struct callback *next;
	const char *number; /* whose suspension it is */
	struct called *first, **end;
	struct spool_mail mail;
	bool made; /* the mail: there is an office */
};

/* One job on the way, in the list of its mail and in that of all. */
struct called {
	struct called *next, *after;
	struct callback *callback;
	struct spool_event event;
	const struct suspension *suspension;
};

struct calls {
	struct callback *callbacks;
	struct called *first, **end;
};

static struct callback *callback_of(struct engine *engine, const char *number, struct calls *calls)
{
	struct callback **at = &calls->callbacks;
	while (*at != NULL && strcmp((*at)->number, number) != 0)
		at = &(*at)->next;
	if (*at != NULL)
		return *at;
	struct callback *callback = arena_new_array(engine->arena, 1, struct callback);
	*callback = (struct callback){.number = number, .end = &callback->first};
	*at = callback;
	return callback;
}

/* A job is called back once, however often it was asked for. */
static void call_back(struct engine *engine, struct spool_request *request,
                      const struct suspension *suspension, struct calls *calls)
{
	struct called *called = arena_new_array(engine->arena, 1, struct called);
	*called = (struct called){
	        .callback = callback_of(engine, suspension->customer, calls),
	        .event = {.job = request->job, .event = request->event},
	        .suspension = suspension,
	};
	*called->callback->end = called;
	called->callback->end = &called->next;
	*calls->end = called;
	calls->end = &called->after;
	request->watched = WATCH_NOT;
	spool_unwatch_job(engine->spool, request->job);
}

static json_t *jobs_json(struct engine *engine, const struct callback *callback)
{
	json_t *jobs = json_array();
	size_t room = MAIL_DATA_MAX;
	for (const struct called *at = callback->first; at != NULL; at = at->next)
		json_array_append_new(jobs, engine_job_json(engine, &at->event, &room));
	return jobs;
}

/* The customer whose jobs they are; where they are several sites', whose suspension it is. */
static const struct customer *whose(struct engine *engine, const struct callback *callback)
{
	const char *number = callback->first->event.event.customer;
	for (const struct called *at = callback->first; at != NULL; at = at->next) {
		if (strcmp(at->event.event.customer, number) != 0)
			number = callback->number;
	}
	return engine_customer(engine, number);
}

static void make_mail(struct engine *engine, struct callback *callback)
{
	json_t *context = json_object(), *jobs = jobs_json(engine, callback);
	const struct customer *customer = whose(engine, callback);
	json_object_set(context, "job", json_array_get(jobs, 0));
	json_object_set_new(context, "jobs", jobs);
	if (customer != NULL)
		json_object_set_new(context, "customer", engine_customer_json(customer));
	json_object_set_new(context, "suspension", engine_suspension_json(callback->first->suspension));
	json_object_set_new(context, "company", engine_company_json(engine->settings));
	context_complete(context);
	char *text = json_dumps(context, JSON_COMPACT);
	callback->made = text != NULL &&
	                 engine_create_recall_mail(engine, &callback->first->event, text, &callback->mail);
	free(text);
	json_decref(context);
}

static void tell(struct engine *engine, const struct called *called)
{
	const struct callback *callback = called->callback;
	struct outcome_facts facts = {
	        .mail = callback->made ? &callback->mail : NULL,
	        .to = callback->made ? engine->settings->office.email : NULL,
	        .suspension = called->suspension,
	        .due = INSTANT_NONE,
	};
	engine_outcome(engine, &called->event, STATUS_COLLISION, REASON_SUSPENDED, &facts);
}

static void look_at(struct engine *engine, int64_t id, struct calls *calls)
{
	struct spool_request request;
	if (!spool_request_load(engine->spool, id, engine->arena, &request) || request.watched == WATCH_NOT)
		return;
	struct spool_request before = request;
	const struct suspension *suspension = engine_watched_suspension(engine, &request);
	if (suspension != NULL)
		call_back(engine, &request, suspension, calls);
	if (request.look.ms != before.look.ms || request.watched != before.watched)
		spool_request_move(engine->spool, &request, request.status, request.reason, engine->now);
}

void engine_call_back(struct engine *engine)
{
	struct sweep *sweep = &engine->sweeps.watched;
	int64_t ids[WATCHED_A_TURN];
	struct calls calls = {.end = &calls.first};
	struct instant look = engine_sweep_begin(engine, sweep);
	size_t n = spool_requests_watched(engine->spool, look, sweep->after, ids, WATCHED_A_TURN);
	size_t max = WATCHED_A_TURN;
	for (size_t i = 0; i < n && i < max && !spool_failed(engine->spool); i++) {
		look_at(engine, ids[i], &calls);
		if (engine_turn_is_full(engine))
			max = i + 1;
	}
	for (struct callback *at = calls.callbacks; at != NULL; at = at->next)
		make_mail(engine, at);
	for (struct called *at = calls.first; at != NULL; at = at->after)
		tell(engine, at);
	engine_sweep_end(engine, sweep, ids, n < max ? n : max, max);
}
