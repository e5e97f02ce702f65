/* SPDX-License-Identifier: MIT */
/*
 * How mails end: by what the mailers report, or by time. takeup.c is where they begin their way.
 */
#include "engine/engine_private.h"

#include "mail/failure.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

enum { DOUBTS = 64, EXPIRED_A_TURN = 256 };

static bool is_office(const struct spool_mail *mail)
{
	return mail->contact == MAIL_OFFICE;
}

static void notice_outcome(struct engine *engine, const struct spool_mail *mail, int64_t event_id,
                           enum status status, enum reason reason, const struct suspension *suspension)
{
	struct spool_event event;
	if (!spool_event_load(engine->spool, event_id, engine->arena, &event))
		return;
	bool waits = status == STATUS_DEFERRED || status == STATUS_RETRYING || status == STATUS_QUEUED;
	struct outcome_facts facts = {
	        .mail = mail,
	        .contact = mail->contact,
	        .to = mail->address,
	        .reply = mail->reply,
	        .due = waits ? mail->due : INSTANT_NONE,
	        .suspension = suspension,
	};
	engine_outcome(engine, &event, status, reason, &facts);
}

/* The mail as a whole takes a status, and so does each event in it. The office's mails are told of by their
 * collision. */
static void move_all(struct engine *engine, struct spool_mail *mail, enum status status, enum reason reason)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	spool_mail_move(engine->spool, mail, status, reason, engine->now);
	for (size_t i = 0; i < n && !is_office(mail); i++)
		notice_outcome(engine, mail, notices[i].event, status, reason, NULL);
}

void engine_mail_ends(struct engine *engine, struct spool_mail *mail, enum status status, enum reason reason)
{
	move_all(engine, mail, status, reason);
}

/* Where the event that began a grouped mail leaves it, the mail is the next one's by Message-ID and thread.
 */
void engine_notice_leaves(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	struct spool_event next;
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

static void notice_ends(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice,
                        enum status status, enum reason reason, const struct suspension *suspension)
{
	size_t n;
	(void)spool_notices(engine->spool, mail->id, engine->arena, &n);
	if (n <= 1)
		spool_mail_move(engine->spool, mail, status, reason, engine->now);
	else
		engine_notice_leaves(engine, mail, notice);
	if (!is_office(mail))
		notice_outcome(engine, mail, notice->event, status, reason, suspension);
}

void engine_notice_ends(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice,
                        enum status status, enum reason reason)
{
	notice_ends(engine, mail, notice, status, reason, NULL);
}

void engine_notice_stops(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice,
                         const struct contact_verdict *why)
{
	notice_ends(engine, mail, notice, why->status, why->reason, why->suspension);
}

/* ---- What mailers report ---- */

static void overtaken_end(struct engine *engine, struct spool_mail *mail)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		if (notices[i].overtaken)
			engine_notice_ends(engine, mail, &notices[i], STATUS_SUPERSEDED, REASON_LATER_STATE);
	}
}

/* Members whose shelf life is over by then leave; the mail's is that of the next one to end. */
static void expire_members(struct engine *engine, struct spool_mail *mail, struct instant by)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	struct instant next = INSTANT_NEVER;
	for (size_t i = 0; i < n; i++) {
		struct spool_event event;
		if (!spool_event_load(engine->spool, notices[i].event, engine->arena, &event))
			continue;
		int64_t life_ms = engine->settings->notify[event.event.state].shelf_life_ms;
		struct instant from = is_office(mail) ? mail->made : event.event.time;
		struct instant end = instant_add(from, life_ms);
		if (!instant_before(by, end))
			engine_notice_ends(engine, mail, &notices[i], STATUS_EXPIRED, REASON_EXPIRED);
		else
			next = instant_min(next, end);
	}
	if (n == 0)
		move_all(engine, mail, STATUS_EXPIRED, REASON_EXPIRED);
	else if (mail->status != STATUS_EXPIRED)
		spool_mail_set_expires(engine->spool, mail->id, next);
}

/* Not now: superseded where a later state came meanwhile, at its end where there is no later, else once more.
 */
static void try_later(struct engine *engine, struct spool_mail *mail, enum reason reason)
{
	int64_t wait_ms = failure_retry_wait_ms(mail->attempts,
	                                        engine->turn->random + (uint64_t)mail->id * 2654435761u);
	mail->due = instant_add(engine->now, wait_ms);
	overtaken_end(engine, mail);
	if (mail->status == STATUS_SENDING && !instant_before(mail->due, mail->expires))
		expire_members(engine, mail, mail->due);
	if (mail->status != STATUS_SENDING)
		return;
	if (mail->due.ms - mail->made.ms >= engine->settings->mail.max_age_ms)
		move_all(engine, mail, STATUS_FAILED, REASON_MAX_AGE);
	else
		move_all(engine, mail, STATUS_RETRYING, reason);
}

/* Back to where it waits, nothing counted: said to nobody. */
static void put_back(struct engine *engine, struct spool_mail *mail)
{
	overtaken_end(engine, mail);
	if (mail->status == STATUS_SENDING)
		spool_mail_move(engine->spool, mail, STATUS_QUEUED, REASON_OK, engine->now);
}

/* The address doesn't exist: it is marked (by the chores' thread; engine_customer() knows at once), the
 * alternate one is next. */
static void address_dead(struct engine *engine, struct spool_mail *mail)
{
	struct contact_verdict again = {.to = ""};
	if (!is_office(mail) && *mail->address)
		engine_refuse_address(engine, mail->contact, mail->address, mail->reply);
	if (!is_office(mail) && engine_judge_mail(engine, mail, &again) && *again.to &&
	    strcmp(again.to, mail->address) != 0) {
		mail->due = engine->now;
		overtaken_end(engine, mail);
		if (mail->status == STATUS_SENDING)
			move_all(engine, mail, STATUS_QUEUED, REASON_OK);
		return;
	}
	move_all(engine, mail, STATUS_FAILED, REASON_ADDRESS_REFUSED);
}

static void sent(struct engine *engine, struct spool_mail *mail)
{
	histogram_add(&engine->stats.delivery_s, (double)(engine->now.ms - mail->due.ms) / 1000.0);
	move_all(engine, mail, STATUS_SENT, REASON_OK);
}

static void log_delivery(struct engine *engine, const struct spool_mail *mail,
                         const struct delivery_result *result)
{
	engine_report(engine, LOG_INFO,
	              "mail=%lld status=%s reason=%s state=%s attempts=%d relay=%s to=%s reply=\"%s\"",
	              (long long)mail->id, status_name(mail->status), reason_name(mail->reason), mail->state,
	              mail->attempts, *result->relay ? result->relay : "-", *result->to ? result->to : "-",
	              result->reply);
}

static void take_result(struct engine *engine, const struct delivery_result *result)
{
	struct spool_mail mail;
	if (!spool_mail_load(engine->spool, result->mail, engine->arena, &mail) ||
	    mail.status != STATUS_SENDING)
		return;
	if (result->template_broken) {
		engine->stats.template_faults++;
		engine_report_often(engine, REPORT_TEMPLATE, LOG_ERR,
		                    "template state=%s mail=%lld: the mail went without what is broken: %s",
		                    mail.state, (long long)mail.id, result->fault);
	}
	engine_yield(engine, mail.id, result->delivery == DELIVERY_RELAY && result->yields);
	if (result->delivery == DELIVERY_RELAY) {
		put_back(engine, &mail);
		return;
	}
	mail.attempts++;
	mail.reply = result->reply;
	switch (result->delivery) {
	case DELIVERY_SENT:
		sent(engine, &mail);
		break;
	case DELIVERY_BUSY:
		try_later(engine, &mail, REASON_MAIL_BUSY);
		break;
	case DELIVERY_DOUBT:
		try_later(engine, &mail, REASON_IN_DOUBT);
		break;
	case DELIVERY_ADDRESS_DEAD:
		address_dead(engine, &mail);
		break;
	case DELIVERY_ADDRESS:
		move_all(engine, &mail, STATUS_FAILED, REASON_ADDRESS_REFUSED);
		break;
	default:
		move_all(engine, &mail, STATUS_FAILED, REASON_MAIL_REFUSED);
		break;
	}
	log_delivery(engine, &mail, result);
}

void engine_take_results(struct engine *engine)
{
	for (size_t i = 0; i < engine->turn->n_results && !spool_failed(engine->spool); i++)
		take_result(engine, &engine->turn->results[i]);
}

void engine_doubt_all(struct engine *engine)
{
	int64_t ids[DOUBTS];
	size_t n;
	while ((n = spool_mails_sending(engine->spool, ids, DOUBTS)) > 0 && !spool_failed(engine->spool)) {
		for (size_t i = 0; i < n; i++) {
			struct spool_mail mail;
			if (!spool_mail_load(engine->spool, ids[i], engine->arena, &mail))
				continue;
			mail.due = engine->now;
			mail.attempts++;
			mail.reply = "dispatchd stopped while it was being sent";
			overtaken_end(engine, &mail);
			if (mail.status == STATUS_SENDING)
				move_all(engine, &mail, STATUS_RETRYING, REASON_IN_DOUBT);
		}
	}
}

/* ---- Ends of shelf lives ---- */

void engine_expire(struct engine *engine)
{
	int64_t ids[EXPIRED_A_TURN];
	size_t n = spool_mails_expired(engine->spool, engine->now, ids, EXPIRED_A_TURN);
	for (size_t i = 0; i < n; i++) {
		struct spool_mail mail;
		if (spool_mail_load(engine->spool, ids[i], engine->arena, &mail))
			expire_members(engine, &mail, engine->now);
	}
	engine->turn->more |= n == EXPIRED_A_TURN;
}
