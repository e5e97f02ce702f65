/* SPDX-License-Identifier: MIT */
/*
 * The dispatch gate (contract, section 6): requests answered once, held jobs released in the order
 * in which they came. What a released job carries is in gate_release.c; who recalls it, in
 * recall.c.
 */
#include "engine/gate.h"

#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/gate_case.h"
#include "engine/gate_release.h"
#include "engine/gate_watch.h"
#include "engine/numbers.h"
#include "engine/outcome.h"
#include "engine/sweep.h"
#include "engine/trace.h"
#include "engine/waiting.h"
#include "rules/gate.h"

#include <sysexits.h>

enum {
	HELD_A_TURN = 2000,
	QUEUE_MAX_MS =
	        5000, /* the office may change customers without end: nobody waits for longer */
};

static void request_answer(struct engine *engine, struct spool_request *request, enum status status,
                           enum reason reason, const struct outcome_facts *facts)
{
	struct spool_event event = {.id = 0, .job = request->job, .event = request->event};
	request->answer = engine_outcome(engine, &event, status, reason, facts);
	spool_request_move(engine->spool, request, status, reason, engine->now);
}

/* ---- Requests ---- */

static void decide(struct engine *engine, struct spool_request *request,
                   const struct gate_case *subject, const struct gate_verdict *v)
{
	struct outcome_facts facts = {.suspension = v->suspension, .due = INSTANT_NONE};
	if (v->due.ms != INSTANT_NEVER.ms)
		facts.due = v->due;
	request->recheck = v->recheck;
	if (v->status == STATUS_RELEASED) {
		facts.outside_hours = v->outside_hours;
		engine_watch(engine, request, subject);
		engine_release_job(engine, request, subject->customer, v->outside_hours);
	}
	request_answer(engine, request, v->status, v->reason, &facts);
}

static void repeat_answer(struct engine *engine, int64_t id, const struct job_event *event,
                          const unsigned char recorded[EVENT_DIGEST_SIZE])
{
	struct spool_request request;
	engine_process_duplicate(engine, event, recorded);
	if (spool_request_load(engine->spool, id, engine->arena, &request) && request.answer != 0)
		spool_outcome_again(engine->spool, request.answer, engine->now);
}

static void take_new(struct engine *engine, const struct job_event *event)
{
	struct spool_request request = {.event = *event};
	struct gate_verdict verdict;
	struct gate_case subject = engine_gate_case(engine, &request);
	request.job = spool_job(engine->spool, event->customer, event->job);
	subject.traced = true;
	gate_judge(&subject, &verdict);
	request.trace = trace_json(verdict.trace, verdict.n_trace, engine->arena);
	request.status = verdict.status;
	request.reason = verdict.reason;
	request.recheck = verdict.recheck;
	spool_request_add(engine->spool, &request, engine->now);
	decide(engine, &request, &subject, &verdict);
}

/* For one who waits for no customer: it is due at once, whatever the feed brings. */
#define NO_GRACE ((struct instant){0})

/* A sweep over more held jobs than a turn takes is under way, and some of this customer are still
 * to come: a new one goes behind them. */
static bool has_to_queue(struct engine *engine, const struct job_event *event)
{
	const struct sweep *sweep = &engine->sweeps.of[RECHECK_HELD];
	if (event->kind != EVENT_ASK_DISPATCH ||
	    engine->now.ms - event->received.ms >= QUEUE_MAX_MS)
		return false;
	return ((sweep->after > 0 || sweep->all) &&
	        spool_holds_for(engine->spool, event->customer, sweep->again ? 0 : sweep->after)) ||
	       (sweep->listed && spool_recheck_lists_held_for(engine->spool, event->customer));
}

void engine_process_request(struct engine *engine, const struct entry *entry,
                            const struct job_event *event, struct instant until)
{
	unsigned char digest[EVENT_DIGEST_SIZE] = {0};
	const struct customer *customer = engine_customer(engine, event->customer);
	if (customer != NULL)
		event = engine_event_of(engine, event, customer);
	int64_t id = spool_request_find(engine->spool, event->source, event->id, digest);
	if (id != 0)
		repeat_answer(engine, id, event, digest);
	else if (customer == NULL && engine_may_come(engine, until))
		engine_wait_for_customer(engine, entry, event, until);
	else if (has_to_queue(engine, event))
		engine_wait_for_customer(engine, entry, event, NO_GRACE);
	else
		take_new(engine, event);
}

/* ---- Held jobs ---- */

static void recheck(struct engine *engine, int64_t id)
{
	struct spool_request request;
	struct gate_verdict verdict;
	engine->stats.rechecks++;
	if (!spool_request_load(engine->spool, id, engine->arena, &request) ||
	    request.status != STATUS_HELD)
		return;
	struct gate_case subject = engine_gate_case(engine, &request);
	gate_judge_held(&subject, &verdict);
	bool as_it_was = verdict.status == STATUS_HELD && verdict.reason == request.reason;
	if (as_it_was && verdict.recheck.ms == request.recheck.ms)
		return;
	/* Most of many are as they were: words are made for the others alone. */
	subject.traced = true;
	gate_judge_held(&subject, &verdict);
	request.trace = trace_json(verdict.trace, verdict.n_trace, engine->arena);
	if (!as_it_was) {
		decide(engine, &request, &subject, &verdict);
	} else {
		request.recheck = verdict.recheck;
		spool_request_move(engine->spool, &request, STATUS_HELD, request.reason,
		                   engine->now);
	}
}

/* Those whose time has come, and those of customers that have changed, in the order in which they
 * came. */
void engine_recheck_held(struct engine *engine)
{
	struct sweep *sweep = &engine->sweeps.of[RECHECK_HELD];
	int64_t ids[HELD_A_TURN];
	struct instant until = engine_sweep_begin(engine, sweep);
	size_t n = spool_requests_held(engine->spool, until, sweep->listed, sweep->after, ids,
	                               HELD_A_TURN);
	size_t max = HELD_A_TURN;
	for (size_t i = 0; i < n && i < max && !spool_failed(engine->spool); i++) {
		recheck(engine, ids[i]);
		if (engine_turn_is_full(engine))
			max = i + 1;
	}
	engine_sweep_end(engine, sweep, ids, n < max ? n : max, max);
}

/* A job of that id that is held, once. */
static bool load_held_job(struct engine *engine, const char *job, struct spool_request *ret,
                          struct error *err)
{
	int64_t ids[2];
	size_t n = spool_requests_held_for(engine->spool, job, ids, 2);
	if (n > 1)
		return error_set(err, EX_DATAERR,
		                 "job %s is held more than once: name one by its Id in hold list",
		                 job);
	if (n == 0 || !spool_request_load(engine->spool, ids[0], engine->arena, ret))
		return error_set(err, EX_NOINPUT, "there is no request %s, and no job %s is held",
		                 job, job);
	return true;
}

static bool load_held(struct engine *engine, int64_t id, const char *job, struct spool_request *ret,
                      struct error *err)
{
	if (!spool_request_load(engine->spool, id, engine->arena, ret))
		return *job ? load_held_job(engine, job, ret, err)
		            : error_set(err, EX_NOINPUT, "there is no request %lld", (long long)id);
	if (ret->status != STATUS_HELD)
		return error_set(err, EX_DATAERR, "request %lld is %s, not held", (long long)id,
		                 status_name(ret->status));
	return true;
}

bool engine_release_by_hand(struct engine *engine, int64_t *id, const char *job, const char *note,
                            struct error *err)
{
	struct spool_request request;
	if (!load_held(engine, *id, job, &request, err))
		return false;
	*id = request.id;
	const struct customer *customer = engine_customer(engine, request.event.customer);
	if (customer == NULL)
		return error_set(err, EX_DATAERR, "customer %s is no longer there",
		                 request.event.customer);
	struct gate_case subject = engine_gate_case(engine, &request);
	struct outcome_facts facts = {
	        .note = note, .due = INSTANT_NONE, .outside_hours = gate_outside_hours(&subject)};
	engine_release_job(engine, &request, customer, facts.outside_hours);
	/* Whoever releases it in spite of the suspension knows about it: then it is not watched. */
	request.recheck = INSTANT_NEVER;
	if (request.reason != REASON_SUSPENDED)
		engine_watch(engine, &request, &subject);
	request_answer(engine, &request, STATUS_RELEASED, REASON_OK, &facts);
	return true;
}

bool engine_cancel_by_hand(struct engine *engine, int64_t *id, const char *job, const char *note,
                           struct error *err)
{
	struct spool_request request;
	if (!load_held(engine, *id, job, &request, err))
		return false;
	*id = request.id;
	request_answer(engine, &request, STATUS_CANCELLED, REASON_BY_HAND,
	               &(struct outcome_facts){.note = note, .due = INSTANT_NONE});
	return true;
}
