/* SPDX-License-Identifier: MIT */
/*
 * Where customers have changed: mails that wait for an opening may go sooner, and mails that wait
 * for a mailer behind others, on a slow relay for minutes, may not go anymore.
 */
#include "engine/mail_recheck.h"

#include "engine/engine_private.h"
#include "engine/judge.h"
#include "engine/limits.h"
#include "engine/mail_state.h"
#include "engine/mail_wait.h"
#include "engine/sweep.h"

#include <string.h>

enum { DEFERRED_A_TURN = 250, SENDING_MAX = 4096 };

/* A mail that waits for an opening may go sooner when its customer's hours have changed. That it
 * has to wait longer, or may not go at all, is found out when it is due. */
static void recheck(struct engine *engine, int64_t id)
{
	struct spool_mail mail;
	struct contact_verdict verdict;
	engine->stats.rechecks++;
	if (!spool_mail_load(engine->spool, id, engine->arena, &mail) ||
	    mail.status != STATUS_DEFERRED || mail.reason != REASON_OUTSIDE_HOURS ||
	    !instant_before(engine->now, mail.due) || !engine_judge_mail(engine, &mail, &verdict))
		return;
	if (verdict.status != STATUS_QUEUED && verdict.status != STATUS_DEFERRED)
		return;
	/* One that others may join stays open to them, and waits for them from the opening on. */
	int64_t wait_ms =
	        mail.open ? engine->settings->notify[job_state_find(mail.state)].group_wait_ms : 0;
	struct instant opening = verdict.status == STATUS_QUEUED ? engine->now : verdict.due;
	verdict.due = instant_add(opening, wait_ms);
	struct contact_verdict limited = verdict;
	engine_ask_limit(engine, &mail, id, true, &limited);
	if (!instant_before(limited.due, mail.due))
		return;
	if (limited.reason == REASON_RATE_LIMITED) {
		engine_mail_wait(engine, &mail, &verdict, false);
		return;
	}
	mail.due = verdict.due;
	mail.address = verdict.to;
	engine_slot_moved(engine, &mail);
	if (mail.open || verdict.status == STATUS_QUEUED)
		spool_mail_set_due(engine->spool, id, mail.due);
	else
		engine_mail_set_status(engine, &mail, STATUS_DEFERRED, verdict.reason);
}

/* Those of customers that have changed, before a sweep over all goes on. */
static void recheck_listed(struct engine *engine, struct sweep *sweep)
{
	int64_t ids[DEFERRED_A_TURN];
	size_t n = spool_recheck_listed(engine->spool, sweep->kind, ids, DEFERRED_A_TURN);
	for (size_t i = 0; i < n && !spool_failed(engine->spool); i++)
		recheck(engine, ids[i]);
	sweep->listed = n == DEFERRED_A_TURN;
	spool_recheck_done(engine->spool, sweep->kind, 0, sweep->listed ? ids[n - 1] : INT64_MAX);
	engine->out->more |= engine_sweeps(sweep);
}

static void recheck_each(struct engine *engine, struct sweep *sweep)
{
	int64_t ids[DEFERRED_A_TURN];
	size_t n = spool_mails_with(engine->spool, STATUS_DEFERRED, sweep->after, ids,
	                            DEFERRED_A_TURN);
	for (size_t i = 0; i < n && !spool_failed(engine->spool); i++)
		recheck(engine, ids[i]);
	engine_sweep_end(engine, sweep, ids, n, DEFERRED_A_TURN);
}

void engine_recheck_deferred(struct engine *engine)
{
	struct sweep *sweep = &engine->sweeps.of[RECHECK_DEFERRED];
	if (sweep->came == SWEEP_LISTED) /* in no order: a sweep under way goes on */
		sweep->came = SWEEP_NOBODY;
	(void)engine_sweep_begin(engine, sweep);
	/* Held jobs are to go within a second: they first. */
	if (!engine_sweeps(sweep) || engine->sweeps.of[RECHECK_HELD].after > 0)
		return;
	if (sweep->listed)
		recheck_listed(engine, sweep);
	else
		recheck_each(engine, sweep);
}

/* Would each event in it still be sent, and to the address to which it was dispatched? */
static bool still_goes(struct engine *engine, const struct spool_mail *mail)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		struct mail_member member = {.notice = &notices[i]};
		if (engine_judge_member(engine, mail, &member) &&
		    (member.verdict.status != STATUS_QUEUED ||
		     strcmp(member.verdict.to, mail->address) != 0))
			return false;
	}
	return true;
}

void engine_recheck_sending(struct engine *engine)
{
	struct sweep *sweep = &engine->sweeps.of[RECHECK_SENDING];
	int64_t ids[SENDING_MAX];
	size_t n = 0;
	if (sweep->came == SWEEP_EVERYBODY)
		n = spool_mails_sending(engine->spool, ids, SENDING_MAX);
	else if (sweep->came == SWEEP_LISTED)
		n = spool_recheck_listed(engine->spool, sweep->kind, ids, SENDING_MAX);
	for (size_t i = 0; i < n; i++) {
		struct spool_mail mail;
		engine->stats.rechecks++;
		if (spool_mail_load(engine->spool, ids[i], engine->arena, &mail) &&
		    mail.contact != MAIL_OFFICE && !still_goes(engine, &mail))
			engine_recall_mail(engine, mail.id);
	}
	engine_sweep_none(engine, sweep);
}
