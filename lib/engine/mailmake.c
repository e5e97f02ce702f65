/* SPDX-License-Identifier: MIT */
/* Mails come into being, are joined by others of their group, and are superseded by later states. */
#include "engine/engine_private.h"

#include "model/job.h"

#include <string.h>

enum { GROUP_MAX = 500 }; /* members of one mail; the next one begins another */

static void add_notice(struct engine *engine, const struct spool_mail *mail, const struct spool_event *event)
{
	struct spool_notice notice = {
	        .mail = mail->id, .event = event->id, .job = event->job, .contact = mail->contact};
	spool_notice_add(engine->spool, &notice);
}

/* The mail that still gathers for this contact and state, if the event may join it. */
static bool join_group(struct engine *engine, const struct spool_event *event,
                       const struct contact_verdict *at)
{
	struct spool_mail mail;
	/* One that waits longer (for another site's morning) would hold this one up, one that goes before
	 * this one's opening would leave without it. */
	int64_t wait_ms = engine->settings->notify[event->event.state].group_wait_ms;
	int64_t id = spool_mail_open_group(engine->spool, at->contact->id, job_state_name(event->event.state),
	                                   instant_add(at->due, -wait_ms), at->due);
	size_t n;
	if (id == 0 || !spool_mail_load(engine->spool, id, engine->arena, &mail))
		return false;
	(void)spool_notices(engine->spool, id, engine->arena, &n);
	if (n >= GROUP_MAX || !instant_before(mail.due, at->expires)) {
		spool_mail_close_group(engine->spool, id);
		return false;
	}
	add_notice(engine, &mail, event);
	if (instant_before(at->expires, mail.expires))
		spool_mail_set_expires(engine->spool, id, at->expires);
	struct outcome_facts facts = {
	        .mail = &mail, .contact = at->contact->id, .to = at->to, .due = mail.due};
	engine_outcome(engine, event, STATUS_DEFERRED, at->reason, &facts);
	return true;
}

void engine_make_mail(struct engine *engine, const struct spool_event *event,
                      const struct contact_verdict *at)
{
	if (at->grouped && join_group(engine, event, at))
		return;
	const struct job_event *e = &event->event;
	const char *state = job_state_name(e->state);
	struct spool_mail mail = {
	        .contact = at->contact->id,
	        .state = state,
	        .status = at->status,
	        .reason = at->reason,
	        .made = engine->now,
	        .due = at->due,
	        .expires = at->expires,
	        .open = at->grouped,
	        .address = at->to,
	        .message_id = outgoing_mail_message_id(engine->arena, e->source, e->id, at->contact->id,
	                                               state, engine->from_domain),
	        .thread_id = engine_thread_id(engine, event),
	};
	spool_mail_add(engine->spool, &mail);
	add_notice(engine, &mail, event);
	struct outcome_facts facts = {
	        .mail = &mail, .contact = at->contact->id, .to = at->to, .due = mail.due};
	engine_outcome(engine, event, mail.status, mail.reason, &facts);
}

/* Due at once, for as long as a mail of that state is worth sending. */
static struct spool_mail office_mail(struct engine *engine, const struct spool_event *event, const char *what,
                                     enum job_state state)
{
	const struct job_event *e = &event->event;
	return (struct spool_mail){
	        .contact = MAIL_OFFICE,
	        .state = "collision",
	        .status = STATUS_QUEUED,
	        .reason = REASON_OK,
	        .made = engine->now,
	        .due = engine->now,
	        .expires = instant_add(engine->now, engine->settings->notify[state].shelf_life_ms),
	        .message_id = outgoing_mail_message_id(engine->arena, e->source, e->id, MAIL_OFFICE, what,
	                                               engine->from_domain),
	        .thread_id = engine_thread_id(engine, event),
	};
}

/* The collision is said in any case; the mail needs an office that has an address. */
void engine_make_office_mail(struct engine *engine, const struct spool_event *event,
                             const struct suspension *suspension)
{
	const char *office = engine->settings->office.email;
	struct outcome_facts facts = {.suspension = suspension, .due = INSTANT_NONE};
	struct spool_mail mail = office_mail(engine, event, "collision", event->event.state);
	if (office != NULL && *office) {
		struct spool_notice notice = {.event = event->id};
		spool_mail_add(engine->spool, &mail);
		add_notice(engine, &mail, event);
		/* At once: the suspension may be lifted before the relay is there. */
		spool_mail_set_context(engine->spool, mail.id, engine_context(engine, &mail, &notice, 1));
		facts.mail = &mail;
		facts.to = office;
	}
	engine_outcome(engine, event, STATUS_COLLISION, REASON_SUSPENDED, &facts);
}

bool engine_make_callback_mail(struct engine *engine, const struct spool_event *first, const char *context,
                               struct spool_mail *ret)
{
	const char *office = engine->settings->office.email;
	if (office == NULL || !*office)
		return false;
	*ret = office_mail(engine, first, "callback", JOB_DISPATCHED);
	spool_mail_add(engine->spool, ret);
	spool_mail_set_context(engine->spool, ret->id, context);
	return true;
}

/* Does the contact get a mail of the new event? */
static bool gets_later(const struct verdict *verdict, int64_t contact)
{
	for (size_t i = 0; i < verdict->n_contacts; i++) {
		const struct contact_verdict *at = &verdict->contacts[i];
		if (at->contact->id == contact &&
		    (at->status == STATUS_QUEUED || at->status == STATUS_DEFERRED))
			return true;
	}
	return false;
}

/* What a mailer has begun with is left alone; superseded when it comes back without having been sent. */
static void overtake(struct engine *engine, const struct spool_notice *notice)
{
	spool_notice_overtake(engine->spool, notice->mail, notice->event);
	engine_recall(engine, notice->mail);
}

void engine_supersede(struct engine *engine, const struct spool_event *event, const struct verdict *verdict)
{
	unsigned all = job_supersedes(event->event.state);
	unsigned getters = job_supersedes_for_getters(event->event.state);
	size_t n;
	struct spool_notice *notices = spool_job_notices(engine->spool, event->job, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		struct spool_mail mail;
		if (!spool_mail_load(engine->spool, notices[i].mail, engine->arena, &mail))
			continue;
		enum job_state state = job_state_find(mail.state);
		unsigned bit = state == JOB_NONE ? 0 : JOB_BIT(state);
		if ((all & bit) == 0 && ((getters & bit) == 0 || !gets_later(verdict, mail.contact)))
			continue;
		if (mail.status == STATUS_SENDING)
			overtake(engine, &notices[i]);
		else
			engine_notice_ends(engine, &mail, &notices[i], STATUS_SUPERSEDED, REASON_LATER_STATE);
	}
}

static bool wants_state(struct engine *engine, const struct job_event *event, int64_t contact,
                        enum job_state state)
{
	const struct customer *customer = engine_customer(engine, event->customer);
	size_t n = 0;
	const struct contact *const *contacts =
	        customer ? customer_contacts(customer, engine->arena, &n) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (contacts[i]->id == contact)
			return (contacts[i]->notify & JOB_BIT(state)) != 0;
	}
	return false;
}

/* Has the job moved on to a state that leaves no place for this mail? */
static bool left_behind(struct engine *engine, const struct spool_mail *mail,
                        const struct spool_notice *notice)
{
	struct spool_event event;
	size_t n;
	struct job_mark *marks = spool_marks(engine->spool, notice->job, engine->arena, &n);
	const struct job_mark *is = job_state_of(marks, n);
	enum job_state told = job_state_find(mail->state);
	if (is == NULL || told == JOB_NONE || is->state == told)
		return false;
	if ((job_supersedes(is->state) & JOB_BIT(told)) != 0)
		return true;
	return (job_supersedes_for_getters(is->state) & JOB_BIT(told)) != 0 &&
	       spool_event_load(engine->spool, notice->event, engine->arena, &event) &&
	       wants_state(engine, &event.event, mail->contact, is->state);
}

void engine_supersede_brought_back(struct engine *engine, struct spool_mail *mail)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		if (left_behind(engine, mail, &notices[i]))
			engine_notice_ends(engine, mail, &notices[i], STATUS_SUPERSEDED, REASON_LATER_STATE);
	}
}
