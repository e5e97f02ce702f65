/* SPDX-License-Identifier: MIT */
/*
 * A mail's state and its events': what a mail becomes, each event in it becomes, and an outcome
 * reports it. An event may also leave a mail that has others.
 */
#include "engine/mail_state.h"

#include "engine/engine_private.h"
#include "engine/limits.h"
#include "engine/numbers.h"
#include "engine/outcome.h"
#include "engine/redirect.h"
#include "engine/report.h"
#include "mail/outgoing_mail.h"

#include <syslog.h>

enum {
	NEVER_GOES = 1u << STATUS_SUPERSEDED | 1u << STATUS_EXPIRED | 1u << STATUS_SUPPRESSED |
	             1u << STATUS_CANCELLED
};

static bool is_office(const struct spool_mail *mail)
{
	return mail->contact == MAIL_OFFICE;
}

struct instant engine_mail_due(const struct spool_mail *mail)
{
	return spool_mail_is_held(mail) ? INSTANT_NONE : mail->due;
}

static void report_move(struct engine *engine, const struct spool_mail *mail, enum status from)
{
	if (engine->in->debug)
		engine_report_act(engine, LOG_DEBUG, "mail=%lld was=%s now=%s reason=%s",
		                  (long long)mail->id, status_name(from), status_name(mail->status),
		                  reason_name(mail->reason));
}

void engine_mail_move(struct engine *engine, struct spool_mail *mail, enum status to,
                      enum reason reason)
{
	enum status from = mail->status;
	if (status_in(to, NEVER_GOES) && status_in(from, STATUSES_WAITING))
		engine_slot_freed(engine, mail);
	in_flight_drop(engine->in_flight, mail->id);
	spool_mail_move(engine->spool, mail, to, reason, engine->now);
	report_move(engine, mail, from);
}

void engine_mail_dispatch_new(struct engine *engine, struct new_mail *mail)
{
	enum status from = mail->mail.status;
	mail->mail.status = STATUS_SENDING;
	mail->mail.reason = REASON_OK;
	mail->mail.open = false; /* as the setter has it */
	engine_new_mail_write(engine, mail);
	report_move(engine, &mail->mail, from);
}

const struct spool_notice *engine_mail_notices(struct engine *engine, int64_t mail, size_t *ret_n)
{
	const struct in_flight_mail *kept = in_flight_find(engine->in_flight, mail);
	if (kept == NULL)
		return spool_notices(engine->spool, mail, engine->arena, ret_n);
	*ret_n = kept->n;
	return kept->notices;
}

static void event_outcome(struct engine *engine, const struct spool_mail *mail,
                          const struct spool_event *event, enum status status, enum reason reason,
                          const struct suspension *suspension)
{
	bool waits = status_in(status, STATUSES_WAITING);
	struct outcome_facts facts = {
	        .mail = mail,
	        .contact = mail->contact,
	        .to = engine_mail_goes_to(engine, mail),
	        .reply = mail->reply,
	        .due = waits ? engine_mail_due(mail) : INSTANT_NONE,
	        .suspension = suspension,
	};
	engine_outcome(engine, event, status, reason, &facts);
}

static void notice_outcome(struct engine *engine, const struct spool_mail *mail, int64_t event_id,
                           enum status status, enum reason reason,
                           const struct suspension *suspension)
{
	struct spool_event event;
	if (spool_event_load(engine->spool, event_id, engine->arena, &event))
		event_outcome(engine, mail, &event, status, reason, suspension);
}

/* The mail as a whole takes a status, and so does each event in it. The office's mails are
 * reported by their collision. */
void engine_mail_set_status(struct engine *engine, struct spool_mail *mail, enum status status,
                            enum reason reason)
{
	size_t n;
	const struct in_flight_mail *kept = in_flight_find(engine->in_flight, mail->id);
	const struct spool_notice *notices = engine_mail_notices(engine, mail->id, &n);
	engine_mail_move(engine, mail, status, reason);
	for (size_t i = 0; i < n && !is_office(mail); i++) {
		if (kept != NULL)
			event_outcome(engine, mail, &kept->events[i], status, reason, NULL);
		else
			notice_outcome(engine, mail, notices[i].event, status, reason, NULL);
	}
}

/* Where the event that began a grouped mail leaves it, the mail is the next one's by Message-ID and
 * thread. */
void engine_notice_leave(struct engine *engine, struct spool_mail *mail,
                         const struct spool_notice *notice)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	struct spool_event next;
	in_flight_drop(engine->in_flight, mail->id);
	spool_notice_leave(engine->spool, mail->id, notice->event);
	if (n < 2 || notices[0].event != notice->event ||
	    !spool_event_load(engine->spool, notices[1].event, engine->arena, &next))
		return;
	const struct job_event *e = &next.event;
	mail->message_id = outgoing_mail_message_id(engine->arena, e->source, e->id, mail->contact,
	                                            mail->state, engine->from_domain);
	mail->thread_id = engine_thread_id(engine, &next);
	spool_mail_set_ids(engine->spool, mail);
}

static void notice_set_status(struct engine *engine, struct spool_mail *mail,
                              const struct spool_notice *notice, enum status status,
                              enum reason reason, const struct suspension *suspension)
{
	size_t n;
	(void)spool_notices(engine->spool, mail->id, engine->arena, &n);
	if (n <= 1)
		engine_mail_move(engine, mail, status, reason);
	else
		engine_notice_leave(engine, mail, notice);
	if (!is_office(mail))
		notice_outcome(engine, mail, notice->event, status, reason, suspension);
}

void engine_notice_set_status(struct engine *engine, struct spool_mail *mail,
                              const struct spool_notice *notice, enum status status,
                              enum reason reason)
{
	notice_set_status(engine, mail, notice, status, reason, NULL);
}

void engine_notice_set_verdict(struct engine *engine, struct spool_mail *mail,
                               const struct spool_notice *notice, const struct contact_verdict *why)
{
	notice_set_status(engine, mail, notice, why->status, why->reason, why->suspension);
}

void engine_recall_mail(struct engine *engine, int64_t mail)
{
	struct turn_output *out = engine->out;
	out->recalled = arena_grow(out->arena, out->recalled, out->n_recalled, &out->cap_recalled,
	                           sizeof mail);
	out->recalled[out->n_recalled++] = mail;
}
