/* SPDX-License-Identifier: MIT */
/* Events become decisions: rules 1 to 13 for the first time, recorded in the turn's transaction
 * with all that follows from them. */
#include "engine/decide.h"

#include "engine/engine_private.h"
#include "engine/limits.h"
#include "engine/mail_create.h"
#include "engine/mail_supersede.h"
#include "engine/outcome.h"
#include "engine/trace.h"

enum { TRACE_ROWS = 64 /* on record; explain writes more */ };

static void record_outcomes(struct engine *engine, const struct reported_event *reported,
                            const struct verdict *verdict)
{
	const struct spool_event *event = reported->event;
	if (verdict->n_contacts == 0) {
		struct outcome_facts facts = {.suspension = verdict->suspension,
		                              .due = INSTANT_NONE};
		engine_outcome(engine, event, verdict->status, verdict->reason, &facts);
	}
	for (size_t i = 0; i < verdict->n_contacts; i++) {
		const struct contact_verdict *at = &verdict->contacts[i];
		struct outcome_facts facts = {
		        .contact = at->contact->id, .to = at->to, .due = INSTANT_NONE};
		if (at->status == STATUS_QUEUED || at->status == STATUS_DEFERRED)
			engine_create_mail(engine, reported, at);
		else
			engine_outcome(engine, event, at->status, at->reason, &facts);
	}
}

/* What the event means for what is on record of its job. */
static void follow_job(struct engine *engine, const struct spool_event *event,
                       const struct verdict *verdict)
{
	engine_new_mails_write_job(engine, event->job);
	if (event->event.state != JOB_DISPATCHED)
		spool_unwatch_job(engine->spool, event->job); /* it has started, or never will */
	if (verdict->takes_state)
		engine_supersede(engine, event, verdict);
}

void engine_decide(struct engine *engine, const struct job_event *event,
                   const struct customer *customer)
{
	struct spool_event record = {
	        .event = *event, .job = spool_job_find(engine->spool, event->customer, event->job)};
	bool known = record.job != 0; /* else nothing is on record of the job, and nothing read */
	struct rules_case subject = {
	        .settings = engine->settings,
	        .zones = engine->zones,
	        .arena = engine->arena,
	        .now = engine->now,
	        .event = event,
	        .customer = customer,
	        .trace_max = TRACE_ROWS,
	};
	struct limits_asked ask;
	struct verdict verdict;
	subject.limits = engine_limits(engine, &ask);
	if (known)
		subject.marks =
		        spool_marks(engine->spool, record.job, engine->arena, &subject.n_marks);
	rules_judge(&subject, &verdict);
	record.status = verdict.status;
	record.reason = verdict.reason;
	if (known)
		spool_job_set_state(engine->spool, record.job, verdict.after);
	else
		record.job =
		        spool_job_add(engine->spool, event->customer, event->job, verdict.after);
	record.id =
	        spool_event_add(engine->spool, event, record.job, verdict.status, verdict.reason,
	                        trace_json(verdict.trace, verdict.n_trace, engine->arena));
	struct reported_event reported = {.event = &record, .customer = customer, .first = !known};
	if (known)
		follow_job(engine, &record, &verdict);
	if (verdict.collision != NULL &&
	    spool_collision_first(engine->spool, record.job, event->state))
		engine_create_office_mail(engine, &reported, verdict.collision);
	record_outcomes(engine, &reported, &verdict);
}
