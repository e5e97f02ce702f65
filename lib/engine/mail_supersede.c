/* SPDX-License-Identifier: MIT */
/* Mails give way to later states of their jobs. */
#include "engine/mail_supersede.h"

#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/mail_state.h"
#include "model/job.h"

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

/* What a mailer has begun with is left alone; superseded when it comes back without having been
 * sent. */
static void supersede_in_flight(struct engine *engine, const struct spool_notice *notice)
{
	in_flight_drop(engine->in_flight, notice->mail);
	spool_notice_supersede(engine->spool, notice->mail, notice->event);
	engine_recall_mail(engine, notice->mail);
}

void engine_supersede(struct engine *engine, const struct spool_event *event,
                      const struct verdict *verdict)
{
	unsigned all = job_supersedes(event->event.state);
	unsigned getters = job_supersedes_for_getters(event->event.state);
	size_t n;
	struct spool_notice *notices =
	        spool_job_notices(engine->spool, event->job, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		struct spool_mail mail;
		if (!spool_mail_load(engine->spool, notices[i].mail, engine->arena, &mail))
			continue;
		enum job_state state = job_state_find(mail.state);
		unsigned bit = state == JOB_NONE ? 0 : JOB_BIT(state);
		if ((all & bit) == 0 &&
		    ((getters & bit) == 0 || !gets_later(verdict, mail.contact)))
			continue;
		if (mail.status == STATUS_SENDING)
			supersede_in_flight(engine, &notices[i]);
		else
			engine_notice_set_status(engine, &mail, &notices[i], STATUS_SUPERSEDED,
			                         REASON_LATER_STATE);
	}
}

static bool wants_state(struct engine *engine, const struct job_event *event, int64_t contact,
                        enum job_state state)
{
	const struct customer *customer = engine_customer(engine, event->customer);
	const struct contact *found = customer_contact(customer, contact);
	return found != NULL && (found->notify & JOB_BIT(state)) != 0;
}

bool engine_left_behind(struct engine *engine, const struct spool_mail *mail,
                        const struct spool_notice *notice)
{
	struct spool_event event;
	size_t n;
	struct job_mark *marks = spool_marks(engine->spool, notice->job, engine->arena, &n);
	const struct job_mark *is = job_state_of(marks, n);
	enum job_state notified = job_state_find(mail->state);
	if (is == NULL || notified == JOB_NONE || is->state == notified)
		return false;
	if ((job_supersedes(is->state) & JOB_BIT(notified)) != 0)
		return true;
	return (job_supersedes_for_getters(is->state) & JOB_BIT(notified)) != 0 &&
	       spool_event_load(engine->spool, notice->event, engine->arena, &event) &&
	       wants_state(engine, &event.event, mail->contact, is->state);
}

void engine_supersede_brought_back(struct engine *engine, struct spool_mail *mail)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		if (engine_left_behind(engine, mail, &notices[i]))
			engine_notice_set_status(engine, mail, &notices[i], STATUS_SUPERSEDED,
			                         REASON_LATER_STATE);
	}
}
