/* SPDX-License-Identifier: MIT */
/*
 * What became of mails in flight: by what the mailers report, or unknown after a crash.
 * mail_dispatch.c dispatches them.
 */
#include "engine/mail_results.h"

#include "engine/bounce.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/judge.h"
#include "engine/mail_expire.h"
#include "engine/mail_state.h"
#include "engine/mail_yield.h"
#include "engine/redirect.h"
#include "engine/report.h"
#include "mail/failure.h"
#include "mail/forward.h"
#include "spool/spool_reply.h"

#include <string.h>
#include <syslog.h>

enum { REQUEUED_AT_ONCE = 64 };

static bool is_office(const struct spool_mail *mail)
{
	return mail->contact == MAIL_OFFICE;
}

static void set_superseded(struct engine *engine, struct spool_mail *mail)
{
	size_t n;
	const struct spool_notice *notices = engine_mail_notices(engine, mail->id, &n);
	for (size_t i = 0; i < n; i++) {
		if (notices[i].superseded)
			engine_notice_set_status(engine, mail, &notices[i], STATUS_SUPERSEDED,
			                         REASON_LATER_STATE);
	}
}

/* Not now: superseded where a later state came meanwhile, at its end where there is no later, else
 * once more. */
static void try_later(struct engine *engine, struct spool_mail *mail, enum reason reason)
{
	int64_t wait_ms = failure_retry_wait_ms(
	        mail->attempts, engine->in->random + (uint64_t)mail->id * 2654435761u);
	mail->due = instant_add(engine->now, wait_ms);
	set_superseded(engine, mail);
	if (mail->status == STATUS_SENDING && !instant_before(mail->due, mail->expires))
		engine_expire_members(engine, mail, mail->due);
	if (mail->status != STATUS_SENDING)
		return;
	if (mail->due.ms - mail->made.ms >= engine->settings->mail.max_age_ms)
		engine_mail_set_status(engine, mail, STATUS_FAILED, REASON_MAX_AGE);
	else
		engine_mail_set_status(engine, mail, STATUS_RETRYING, reason);
}

/* Back to where it waits: neither counted nor reported. */
static void put_back(struct engine *engine, struct spool_mail *mail)
{
	set_superseded(engine, mail);
	if (mail->status == STATUS_SENDING)
		engine_mail_move(engine, mail, STATUS_QUEUED, REASON_OK);
}

/* The address doesn't exist: it is marked (by the office's thread; engine_customer() knows at
 * once), the alternate one is next. Of a mail that was redirected it is nobody's. */
static void address_dead(struct engine *engine, struct spool_mail *mail)
{
	struct contact_verdict again = {.to = ""};
	bool contacts = !is_office(mail) && !engine_is_redirected(mail);
	if (contacts && *mail->address)
		engine_refuse_address(engine, mail->contact, mail->address, mail->reply);
	if (contacts && engine_judge_mail(engine, mail, &again) && *again.to &&
	    strcmp(again.to, mail->address) != 0) {
		mail->due = engine->now;
		set_superseded(engine, mail);
		if (mail->status == STATUS_SENDING)
			engine_mail_set_status(engine, mail, STATUS_QUEUED, REASON_OK);
		return;
	}
	engine_mail_set_status(engine, mail, STATUS_FAILED, REASON_ADDRESS_REFUSED);
}

static void end(struct engine *engine, struct spool_mail *mail, enum status status,
                enum reason reason)
{
	if (status == STATUS_SENT)
		histogram_add(&engine->stats.delivery_s,
		              (double)(engine->now.ms - mail->due.ms) / 1000.0);
	engine_mail_set_status(engine, mail, status, reason);
	if (status == STATUS_SENT && is_office(mail) && strcmp(mail->state, FORWARD_STATE) == 0)
		spool_reply_sent(engine->spool, mail->id);
	if (status == STATUS_SENT)
		engine_bounce_sent(engine, mail);
}

static void log_delivery(struct engine *engine, const struct spool_mail *mail,
                         const struct delivery_result *result)
{
	engine_report_act(
	        engine, LOG_INFO,
	        "mail=%lld status=%s reason=%s state=%s attempts=%d relay=%s to=%s reply=\"%s\"",
	        (long long)mail->id, status_name(mail->status), reason_name(mail->reason),
	        mail->state, mail->attempts, *result->relay ? result->relay : "-",
	        *result->to ? result->to : "-", result->reply);
}

/* As kept since its dispatch, else as the spool has it. */
static bool load_in_flight(struct engine *engine, int64_t id, struct spool_mail *ret)
{
	const struct in_flight_mail *kept = in_flight_find(engine->in_flight, id);
	if (kept != NULL) {
		*ret = kept->mail;
		return true;
	}
	return spool_mail_load(engine->spool, id, engine->arena, ret) &&
	       ret->status == STATUS_SENDING;
}

static void take_result(struct engine *engine, const struct delivery_result *result)
{
	struct spool_mail mail;
	if (!load_in_flight(engine, result->mail, &mail))
		return;
	if (result->template_broken) {
		engine->stats.template_faults++;
		engine_report(engine, LOG_ERR | MESSAGE_TEMPLATE_BROKEN,
		              "template state=%s: mails go without what is broken: %s", mail.state,
		              result->fault);
	}
	const struct failure_course *course = failure_course(result->delivery);
	engine_yield(engine, mail.id, course->next == FAILURE_ELSEWHERE && result->yields);
	if (course->next == FAILURE_ELSEWHERE) {
		put_back(engine, &mail);
		return;
	}
	mail.attempts++;
	mail.reply = result->reply;
	if (result->rendering.known)
		mail.rendering = result->rendering;
	if (course->next == FAILURE_LATER)
		try_later(engine, &mail, course->reason);
	else if (course->next == FAILURE_ALTERNATE)
		address_dead(engine, &mail);
	else
		end(engine, &mail, course->status, course->reason);
	log_delivery(engine, &mail, result);
}

void engine_process_results(struct engine *engine)
{
	for (size_t i = 0; i < engine->in->n_results && !spool_failed(engine->spool); i++)
		take_result(engine, &engine->in->results[i]);
}

void engine_requeue_in_flight(struct engine *engine)
{
	int64_t ids[REQUEUED_AT_ONCE];
	size_t n;
	while ((n = spool_mails_sending(engine->spool, ids, REQUEUED_AT_ONCE)) > 0 &&
	       !spool_failed(engine->spool)) {
		for (size_t i = 0; i < n; i++) {
			struct spool_mail mail;
			if (!spool_mail_load(engine->spool, ids[i], engine->arena, &mail))
				continue;
			mail.due = engine->now;
			mail.attempts++;
			mail.reply = "dispatchd stopped while it was being sent";
			set_superseded(engine, &mail);
			if (mail.status == STATUS_SENDING)
				engine_mail_set_status(engine, &mail, STATUS_RETRYING,
				                       REASON_IN_DOUBT);
		}
	}
}
