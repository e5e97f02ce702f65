/* SPDX-License-Identifier: MIT */
/*
 * Mails that are there go at another time than they were made for: outside of service
 * hours they are deferred until the opening, a person retries or releases them, hours change. Each
 * time [rules] per_contact is asked for the moment at which they would go, as for a new one.
 */
#include "engine/mail_wait.h"

#include "engine/engine_private.h"
#include "engine/limits.h"
#include "engine/mail_expire.h"
#include "engine/mail_state.h"
#include "engine/outcome.h"
#include "engine/redirect.h"

static struct rules_one_more one_more(const struct spool_mail *mail, struct instant from)
{
	return (struct rules_one_more){.contact = mail->contact,
	                               .state = job_state_find(mail->state),
	                               .from = from,
	                               .expires = mail->expires};
}

void engine_ask_limit(struct engine *engine, const struct spool_mail *mail, int64_t id, bool alone,
                      struct contact_verdict *at)
{
	struct rules_one_more one = one_more(mail, at->due);
	one.alone = alone;
	if (id == 0)
		one.expires = at->expires;
	at->unlimited = at->due;
	at->due = engine_waits_until(engine, &one, id);
	if (!instant_before(at->unlimited, at->due))
		return;
	at->status = STATUS_DEFERRED;
	at->reason = REASON_RATE_LIMITED;
}

/* What each event in it hears of the mail that it goes in from now on. */
static void report_joined(struct engine *engine, const struct spool_notice *notices, size_t n,
                          const struct spool_mail *mail)
{
	const struct outcome_facts facts = {
	        .mail = mail,
	        .contact = mail->contact,
	        .to = engine_mail_goes_to(engine, mail),
	        .due = engine_mail_due(mail),
	};
	for (size_t i = 0; i < n; i++) {
		struct spool_event event;
		if (spool_event_load(engine->spool, notices[i].event, engine->arena, &event))
			engine_outcome(engine, &event, STATUS_DEFERRED, REASON_RATE_LIMITED,
			               &facts);
	}
}

/* Thread and Message-ID are those of the first event. */
static void take_ids(struct engine *engine, const struct spool_mail *mail, int64_t first,
                     struct spool_mail *group)
{
	size_t n;
	const struct spool_notice *notices =
	        spool_notices(engine->spool, group->id, engine->arena, &n);
	if (n == 0 || notices[0].event != first)
		return;
	group->message_id = mail->message_id;
	group->thread_id = mail->thread_id;
	spool_mail_set_ids(engine->spool, group);
}

/* One that was tried stays by itself: a retry is the same mail, by what it says and its Message-ID.
 */
static bool may_gather(const struct spool_mail *mail)
{
	return status_in(mail->status, 1u << STATUS_QUEUED | 1u << STATUS_DEFERRED) &&
	       mail->attempts == 0 && !*mail->reply;
}

static bool join(struct engine *engine, struct spool_mail *mail, struct instant from,
                 struct instant until)
{
	struct spool_mail group;
	size_t n;
	const struct rules_one_more one = one_more(mail, from);
	const struct spool_notice *notices =
	        spool_notices(engine->spool, mail->id, engine->arena, &n);
	if (!may_gather(mail) || n == 0 ||
	    !engine_find_group(engine, &one, until, n, mail->id, &group))
		return false;
	engine_slot_freed(engine, mail);
	spool_mail_merge(engine->spool, mail, group.id);
	take_ids(engine, mail, notices[0].event, &group);
	if (instant_before(mail->expires, group.expires))
		spool_mail_set_expires(engine->spool, group.id, mail->expires);
	report_joined(engine, notices, n, &group);
	*mail = group;
	return true;
}

void engine_mail_wait(struct engine *engine, struct spool_mail *mail,
                      const struct contact_verdict *verdict, bool joins)
{
	struct contact_verdict at = *verdict;
	engine_ask_limit(engine, mail, mail->id, !joins, &at);
	bool limited = at.reason == REASON_RATE_LIMITED;
	if (limited && joins) {
		if (join(engine, mail, instant_add(verdict->due, 1), at.due))
			return;
		at = *verdict;
		engine_ask_limit(engine, mail, mail->id, true, &at);
		limited = at.reason == REASON_RATE_LIMITED;
	}
	if (mail->status == at.status && mail->reason == at.reason && mail->due.ms == at.due.ms)
		return;
	mail->due = at.due;
	if (*at.to)
		mail->address = at.to;
	engine_slot_moved(engine, mail);
	engine_mail_set_status(engine, mail, at.status, at.reason);
	if (limited && may_gather(mail))
		spool_mail_open(engine->spool, mail->id);
	if (limited && !instant_before(mail->due, mail->expires))
		engine_expire_members(engine, mail, mail->due);
}
