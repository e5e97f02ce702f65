/* SPDX-License-Identifier: MIT */
/*
 * Released jobs are watched until they start or their day is over: a suspension that takes effect
 * meanwhile is a collision, and the office gets one mail for all jobs of the customer.
 */
#include "engine/engine_private.h"

#include "mail/context.h"
#include "model/suspension.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { WATCHED_A_TURN = 2000 };

/* What the office is told of one customer's jobs, in one mail for all. */
struct callback {
	struct callback *next;
	const char *number; /* the customer's */
	json_t *jobs, *customer, *suspension;
	struct spool_event first;
};

/* When its day is over, after which nobody is on the way any more. */
static struct instant watch_end(const struct engine *engine, const struct gate_case *asked,
                                const struct zone *zone)
{
	if (instant_is_none(asked->scheduled))
		return instant_add(asked->asked, engine->settings->gate.hold_max_ms);
	return zone_day_start(zone, (struct day){zone_day(zone, asked->scheduled).n + 1});
}

static struct instant watch_look(const struct engine *engine, const struct gate_case *asked,
                                 const struct zone *zone, struct instant end)
{
	return instant_min(end, suspension_next_change(asked->customer, zone, engine->now));
}

void engine_watch(struct engine *engine, struct spool_request *request, const struct gate_case *asked)
{
	const struct zone *zone = rules_zone(engine->settings, engine->zones, asked->customer);
	struct instant end = watch_end(engine, asked, zone);
	if (!instant_before(engine->now, end))
		return;
	/* A `jobs` suspension lets jobs be dispatched that are there: until it ends, it calls none back. */
	bool known = suspension_find(asked->customer, SCOPE_JOBS, zone, engine->now) != NULL;
	request->watched = known ? WATCH_ROUTES : WATCH_ALL;
	request->look = watch_look(engine, asked, zone, end);
}

/* The suspension against which a released job is under way; NULL: none now, and `look` says when to ask
 * again. */
static const struct suspension *called_back(struct engine *engine, struct spool_request *request)
{
	struct gate_case asked = engine_gate_case(engine, request);
	const struct zone *zone = rules_zone(engine->settings, engine->zones, asked.customer);
	struct instant end = watch_end(engine, &asked, zone);
	if (asked.customer == NULL || !instant_before(engine->now, end)) {
		request->watched = WATCH_NOT;
		return NULL;
	}
	request->look = watch_look(engine, &asked, zone, end);
	if (request->watched == WATCH_ROUTES &&
	    suspension_find(asked.customer, SCOPE_JOBS, zone, engine->now) == NULL)
		request->watched = WATCH_ALL;
	unsigned scopes = request->watched == WATCH_ROUTES ? SCOPE_ROUTES : SCOPE_JOBS | SCOPE_ROUTES;
	return suspension_find(asked.customer, scopes, zone, engine->now);
}

static struct callback *callback_of(struct engine *engine, const struct spool_event *event,
                                    const struct suspension *suspension, struct callback **all)
{
	struct callback **at = all;
	while (*at != NULL && strcmp((*at)->number, event->event.customer) != 0)
		at = &(*at)->next;
	if (*at != NULL)
		return *at;
	struct callback *callback = arena_new_array(engine->arena, 1, struct callback);
	*callback = (struct callback){
	        .number = event->event.customer,
	        .jobs = json_array(),
	        .suspension = engine_suspension_json(suspension),
	        .first = *event,
	};
	*at = callback;
	return callback;
}

static void call_back(struct engine *engine, struct spool_request *request,
                      const struct suspension *suspension, struct callback **all)
{
	struct spool_event event = {.job = request->job, .event = request->event};
	struct outcome_facts facts = {.suspension = suspension, .due = INSTANT_NONE};
	engine_outcome(engine, &event, STATUS_COLLISION, REASON_SUSPENDED, &facts);
	request->watched = WATCH_NOT;
	struct callback *callback = callback_of(engine, &event, suspension, all);
	json_t *job = engine_job_json(engine, &event);
	if (callback->customer == NULL)
		callback->customer = json_incref(json_object_get(job, "customer"));
	json_array_append_new(callback->jobs, job);
}

static void tell_office(struct engine *engine, struct callback *callback)
{
	json_t *context = json_object();
	json_object_set(context, "job", json_array_get(callback->jobs, 0));
	json_object_set_new(context, "jobs", callback->jobs);
	json_object_set_new(context, "customer", callback->customer);
	json_object_set_new(context, "suspension", callback->suspension);
	json_object_set_new(context, "company", engine_company_json(engine->settings));
	context_complete(context);
	char *text = json_dumps(context, JSON_COMPACT);
	if (text != NULL)
		engine_make_callback_mail(engine, &callback->first, text);
	free(text);
	json_decref(context);
}

void engine_call_back(struct engine *engine)
{
	struct scan *scan = &engine->scans.watched;
	int64_t ids[WATCHED_A_TURN];
	struct callback *all = NULL;
	struct instant look = engine_scan_begin(engine, scan);
	size_t n = spool_requests_watched(engine->spool, look, scan->after, ids, WATCHED_A_TURN);
	for (size_t i = 0; i < n && !spool_failed(engine->spool); i++) {
		struct spool_request request;
		if (!spool_request_load(engine->spool, ids[i], engine->arena, &request))
			continue;
		struct spool_request before = request;
		const struct suspension *suspension = called_back(engine, &request);
		if (suspension != NULL)
			call_back(engine, &request, suspension, &all);
		if (request.look.ms != before.look.ms || request.watched != before.watched)
			spool_request_move(engine->spool, &request, request.status, request.reason,
			                   engine->now);
	}
	for (; all != NULL; all = all->next)
		tell_office(engine, all);
	engine_scan_end(engine, scan, ids, n, WATCHED_A_TURN);
}
