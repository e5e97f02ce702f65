/* SPDX-License-Identifier: MIT */
/* Mails come into being, or an event joins one that still gathers its group. */
#include "engine/mail_create.h"

#include "engine/context.h"
#include "engine/engine_private.h"
#include "engine/limits.h"
#include "engine/mail_new.h"
#include "engine/mail_state.h"
#include "engine/numbers.h"
#include "engine/office_mail.h"
#include "engine/outcome.h"
#include "engine/redirect.h"
#include "mail/outgoing_mail.h"

/* Nothing but a change of its customer's number gives a job another thread. */
static const char *thread_of(struct engine *engine, const struct reported_event *reported)
{
	const struct job_event *e = &reported->event->event;
	if (!reported->first)
		return engine_thread_id(engine, reported->event);
	return outgoing_mail_thread_id(engine->arena, e->customer, e->job, engine->from_domain);
}

static void add_notice(struct engine *engine, const struct spool_mail *mail,
                       const struct spool_event *event)
{
	struct spool_notice notice = {
	        .mail = mail->id, .event = event->id, .job = event->job, .contact = mail->contact};
	spool_notice_add(engine->spool, &notice);
}

static struct rules_one_more one_more(const struct spool_event *event,
                                      const struct contact_verdict *at)
{
	return (struct rules_one_more){.contact = at->contact->id,
	                               .state = event->event.state,
	                               .from = at->due,
	                               .expires = at->expires};
}

/*
 * When a mail is due that the event may join. One that waits longer (for another site's morning)
 * would hold this one up, one that goes before this one's opening would leave without it. What is
 * held back joins what is held back; what is over a limit the next that goes.
 */
static void find_span(struct engine *engine, const struct spool_event *event,
                      const struct contact_verdict *at, struct instant *ret_from,
                      struct instant *ret_until)
{
	int64_t wait_ms = engine->settings->notify[event->event.state].group_wait_ms;
	*ret_from = *ret_until = at->due;
	if (at->reason == REASON_HELD_BACK)
		*ret_from = *ret_until = INSTANT_NEVER;
	else if (at->reason == REASON_RATE_LIMITED)
		*ret_from = instant_add(at->unlimited, 1); /* else it would be within it */
	else
		*ret_from = instant_add(at->due, -wait_ms);
}

/* The mail that still gathers for this contact and state, if the event may join it. */
static bool join_group(struct engine *engine, const struct spool_event *event,
                       const struct contact_verdict *at)
{
	struct spool_mail mail;
	struct instant until;
	struct rules_one_more one = one_more(event, at);
	find_span(engine, event, at, &one.from, &until);
	if (!engine_find_group(engine, &one, until, 1, 0, &mail))
		return false;
	add_notice(engine, &mail, event);
	if (instant_before(at->expires, mail.expires))
		spool_mail_set_expires(engine->spool, mail.id, at->expires);
	struct outcome_facts facts = {
	        .mail = &mail,
	        .contact = at->contact->id,
	        .to = engine_goes_to(engine, at->to),
	        .due = engine_mail_due(&mail),
	};
	engine_outcome(engine, event, STATUS_DEFERRED, at->reason, &facts);
	return true;
}

/* One that is due now waits for the turn's end to become a row; others are one at once. */
static void add_mail(struct engine *engine, const struct reported_event *reported,
                     const struct contact *contact, const char *context, struct spool_mail *mail)
{
	if (mail->status != STATUS_QUEUED || mail->due.ms != engine->now.ms ||
	    !instant_before(engine->now, mail->expires)) {
		spool_mail_add(engine->spool, mail);
		if (context != NULL)
			spool_mail_set_context(engine->spool, mail->id, context, NULL);
		return;
	}
	struct new_mail *made = arena_alloc(engine->arena, sizeof *made);
	*made = (struct new_mail){
	        .mail = *mail,
	        .event = *reported->event,
	        .customer = reported->customer,
	        .contact = contact,
	        .context = context,
	        .first = reported->first,
	};
	engine_new_mail_add(engine, made);
	mail->id = made->mail.id;
}

/* None of those that wait takes it, or has since the verdict gone: a place of its own. */
static void wait_alone(struct engine *engine, const struct spool_event *event,
                       struct contact_verdict *at)
{
	struct rules_one_more one = one_more(event, at);
	one.from = at->unlimited;
	one.alone = true;
	at->due = engine_waits_until(engine, &one, 0);
	if (!instant_before(at->unlimited, at->due))
		return;
	at->status = STATUS_DEFERRED;
	at->reason = REASON_RATE_LIMITED;
}

static struct spool_mail mail_of(struct engine *engine, const struct reported_event *reported,
                                 const struct contact_verdict *at)
{
	const struct spool_event *event = reported->event;
	const struct job_event *e = &event->event;
	const char *state = job_state_name(e->state);
	return (struct spool_mail){
	        .contact = at->contact->id,
	        .event = event->id,
	        .job = event->job,
	        .state = state,
	        .status = at->status,
	        .reason = at->reason,
	        .made = engine->now,
	        .due = at->reason == REASON_HELD_BACK ? INSTANT_NEVER : at->due,
	        .expires = at->expires,
	        .open = at->grouped || at->reason == REASON_RATE_LIMITED,
	        .address = at->to,
	        .message_id = outgoing_mail_message_id(engine->arena, e->source, e->id,
	                                               at->contact->id, state, engine->from_domain),
	        .thread_id = thread_of(engine, reported),
	        .changed = engine->now,
	        .reply = "",
	};
}

void engine_create_mail(struct engine *engine, const struct reported_event *reported,
                        const struct contact_verdict *verdict)
{
	struct contact_verdict at = *verdict;
	if (at.grouped || at.reason == REASON_RATE_LIMITED) {
		if (join_group(engine, reported->event, &at))
			return;
		if (at.reason != REASON_HELD_BACK)
			wait_alone(engine, reported->event, &at);
	}
	struct spool_mail mail = mail_of(engine, reported, &at);
	add_mail(engine, reported, at.contact, NULL, &mail);
	if (reported->again)
		engine_slot_moved(engine, &mail);
	else
		engine_count_mail(engine, &mail);
	struct outcome_facts facts = {
	        .mail = &mail,
	        .contact = at.contact->id,
	        .to = engine_goes_to(engine, at.to),
	        .due = engine_mail_due(&mail),
	};
	engine_outcome(engine, reported->event, mail.status, mail.reason, &facts);
}

/* A mail about collisions, worth sending for as long as one of that state is. */
static struct office_mail about_collisions(struct engine *engine,
                                           const struct reported_event *reported, const char *named,
                                           enum job_state state)
{
	const struct job_event *e = &reported->event->event;
	return (struct office_mail){
	        .template = "collision",
	        .id = e->id,
	        .source = e->source,
	        .named = named,
	        .thread_id = thread_of(engine, reported),
	        .shelf_life_ms = engine->settings->notify[state].shelf_life_ms,
	};
}

/* The collision is reported in any case; the mail needs an office that has an address. */
void engine_create_office_mail(struct engine *engine, const struct reported_event *reported,
                               const struct suspension *suspension)
{
	const struct spool_event *event = reported->event;
	struct outcome_facts facts = {.suspension = suspension, .due = INSTANT_NONE};
	struct office_mail office =
	        about_collisions(engine, reported, "collision", event->event.state);
	struct spool_mail mail;
	office.event = event;
	if (engine_office_mail_make(engine, &office, &mail)) {
		/* Its context at once: the suspension may be lifted before the relay is there. */
		add_mail(engine, reported, NULL, engine_context(engine, &mail, &event, 1), &mail);
		facts.mail = &mail;
		facts.to = engine_goes_to(engine, engine->settings->office.email);
	}
	engine_outcome(engine, event, STATUS_COLLISION, REASON_SUSPENDED, &facts);
}

bool engine_create_recall_mail(struct engine *engine, const struct spool_event *first,
                               const char *context, struct spool_mail *ret)
{
	struct reported_event reported = {.event = first};
	struct office_mail office = about_collisions(engine, &reported, "callback", JOB_DISPATCHED);
	office.context = context;
	return engine_office_mail_add(engine, &office, ret);
}
