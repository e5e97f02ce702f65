/* SPDX-License-Identifier: MIT */
/*
 * Reports about mails, as commands of the turn: each is decided once, and on disk before it is
 * answered.
 *
 *   facts (bounce_facts.c) ─▶ which mail (bounce_subject.c) ─▶ on record already? ─▶ again
 *                                    │
 *                                    ├─ nobody knows, or not for sure ─▶ on record as unknown
 *                                    └─ what comes of it (bounce_act.c) ─▶ on record
 *
 * A report may be quicker than the relay's own answer: what it says of the address counts at once,
 * and the mail moves when its result is in. Where it never comes in as sent (in doubt, after a
 * crash), the mail is judged again with what is known by then.
 */
#include "engine/bounce.h"

#include "engine/bounce_act.h"
#include "engine/bounce_facts.h"
#include "engine/bounce_office.h"
#include "engine/bounce_reply.h"
#include "engine/bounce_strikes.h"
#include "engine/bounce_subject.h"
#include "engine/engine_private.h"
#include "engine/opt_out.h"
#include "engine/opt_out_answer.h"
#include "engine/redirect.h"
#include "mail/report_judge.h"
#include "mail/token.h"
#include "model/job_state.h"

#include <string.h>
#include <sysexits.h>
#include <syslog.h>

/* The column `why` of reports whose mail was still with a mailer. */
static const char early[] = "early";
static const int64_t early_ms = INT64_C(24) * 3600 * 1000;

/* ---- On record ---- */

static void count(struct engine *engine, enum mail_report_kind kind,
                  enum mail_report_verdict verdict)
{
	engine->stats.reports[kind][verdict]++;
}

static void answer(json_t *out, const struct spool_bounce *row)
{
	json_object_set_new(out, "took", json_string(row->took));
	json_object_set_new(out, "report", json_integer(row->id));
}

static void record_unknown(struct engine *engine, const struct bounce_subject *subject,
                           struct spool_bounce *row, json_t *out)
{
	row->took = "unknown";
	row->why = *subject->why != '\0' ? subject->why : "other_kind";
	spool_bounce_add(engine->spool, row);
	engine_report_often(engine, REPORT_BOUNCE, LOG_NOTICE,
	                    "report=%lld kind=%s about no known mail: %s", (long long)row->id,
	                    row->kind, row->why);
	answer(out, row);
}

/* The row comes first, so that what is done can name it. */
static void record_known(struct engine *engine, struct bounce_act *act, struct spool_bounce *row,
                         json_t *out)
{
	bool is_early;
	row->took = "counted";
	spool_bounce_add(engine->spool, row);
	act->report = row->id;
	row->took = engine_bounce_act(engine, act, &is_early);
	spool_bounce_set_took(engine->spool, row->id, row->took);
	if (is_early) {
		spool_bounce_set_why(engine->spool, row->id, early);
		engine->last_early = engine->now;
	}
	if (act->verdict == MAIL_REPORT_REFUSED)
		engine_bounce_refused(engine);
	answer(out, row);
}

/* ---- As dispatch-bounce understood it ---- */

static struct spool_bounce row_of(struct engine *engine, const struct bounce_facts *facts,
                                  const struct bounce_recipient *about)
{
	struct spool_bounce row = {
	        .time = engine->now,
	        .kind = mail_report_kind_name(facts->kind),
	        .verdict = mail_report_verdict_name(about->verdict),
	        .address = about->address,
	        .code = about->code,
	        .text = about->text,
	        .why = "",
	        .sender = facts->sender,
	        .message_id = facts->message_id,
	        .has_digest = true,
	};
	memcpy(row.digest, facts->digest, sizeof row.digest);
	return row;
}

/* Of a known mail: what the report says of its own address. */
static void set_mail(struct engine *engine, const struct bounce_subject *subject,
                     struct spool_bounce *row)
{
	row->mail = subject->mail.id;
	row->contact = subject->mail.contact;
	row->address = subject->address;
	row->why = subject->why;
	if (*row->message_id == '\0')
		row->message_id = bounce_text(engine->arena, subject->mail.message_id, 998);
}

/* By a token of the contact itself: there need be no mail anymore. */
static bool record_opt_out(struct engine *engine, const struct bounce_facts *facts,
                           const struct bounce_subject *subject, struct spool_bounce *row,
                           json_t *out)
{
	bool complaint = facts->kind == MAIL_REPORT_COMPLAINT;
	if (!subject->has_token || subject->token.kind != TOKEN_OPT_OUT || *subject->why != '\0' ||
	    (!complaint && facts->kind != MAIL_REPORT_OPT_OUT))
		return false;
	unsigned off = complaint || facts->all ? JOB_NOTIFY_ALL : JOB_BIT(subject->token.state);
	engine_opt_out(engine, &subject->choice, off, 0);
	row->contact = subject->token.id;
	row->took = complaint ? "complained" : "opted_out";
	spool_bounce_add(engine->spool, row);
	const struct opt_out_wish wish = {.off = JOB_BIT(subject->token.state),
	                                  .all = facts->all,
	                                  .asked_by = facts->own_id,
	                                  .report = row->id};
	if (!complaint && !facts->automatic)
		engine_opt_out_answer(engine, &subject->choice, &wish);
	answer(out, row);
	return true;
}

/* A person's reply; with its content, if that is wanted. */
static void take_reply(struct engine *engine, const json_t *in, const struct bounce_facts *facts,
                       const struct bounce_subject *subject, const struct reply_content *content,
                       struct spool_bounce *row, json_t *out)
{
	if (!engine_reply_take(engine, in, facts, subject, content, row)) {
		json_object_set_new(out, "took", json_string("reply"));
		json_object_set_new(out, "send", json_true());
		return;
	}
	count(engine, MAIL_REPORT_REPLY, MAIL_REPORT_NONE);
	answer(out, row);
}

static bool take(struct engine *engine, const json_t *in, const struct reply_content *content,
                 json_t *out, struct error *err)
{
	static const struct bounce_recipient nobody = {.address = "", .code = "", .text = ""};
	struct bounce_facts facts;
	struct bounce_subject subject;
	if (!bounce_facts_read(in, engine->arena, &facts, err) ||
	    !token_takes(engine->settings->bounce.address, facts.recipient, err))
		return false;
	engine_bounce_find(engine, &facts, &subject);
	const struct bounce_recipient *about = bounce_facts_recipient(&facts, subject.address);
	struct spool_bounce row = row_of(engine, &facts, about ? about : &nobody);
	if (subject.known)
		set_mail(engine, &subject, &row);
	if (spool_bounce_known(engine->spool, &row)) {
		json_object_set_new(out, "took", json_string("again"));
		return true;
	}
	if (engine_is_reply(&facts, &subject)) {
		take_reply(engine, in, &facts, &subject, content, &row, out);
		return true;
	}
	count(engine, facts.kind, about ? about->verdict : MAIL_REPORT_NONE);
	struct bounce_act act = {
	        .mail = subject.mail,
	        .address = subject.address,
	        .redirected = subject.redirected,
	        .kind = facts.kind,
	        .verdict = about ? about->verdict : MAIL_REPORT_NONE,
	        .words = row.text,
	};
	if (subject.known)
		record_known(engine, &act, &row, out);
	else if (!record_opt_out(engine, &facts, &subject, &row, out))
		record_unknown(engine, &subject, &row, out);
	return true;
}

bool engine_bounce_take(struct engine *engine, const json_t *in, json_t *out, struct error *err)
{
	return take(engine, in, NULL, out, err);
}

bool engine_bounce_forward(struct engine *engine, const json_t *in, const char *entity, size_t len,
                           json_t *out, struct error *err)
{
	if (entity == NULL)
		return error_set(err, EX_USAGE, "a reply's content comes with it");
	return take(engine, in, &(struct reply_content){.entity = entity, .len = len}, out, err);
}

/* ---- By hand ---- */

/* A person knows more than a report: what a code says is enough, with any words. */
static bool judge(const json_t *in, struct arena *arena, struct bounce_act *act,
                  const char **ret_code, struct error *err)
{
	struct mail_report_code code;
	const char *text = json_string_value(json_object_get(in, "code")), *why;
	if (text == NULL || !mail_report_code_parse(text, &code) || code.class == 0)
		return error_set(err, EX_USAGE,
		                 "a report needs an enhanced code such as 5.1.1 (got \"%s\")",
		                 text ? text : "");
	*ret_code = bounce_text(arena, text, MAIL_REPORT_CODE_TEXT_MAX - 1);
	if (code.class == 2) {
		act->kind = MAIL_REPORT_DELIVERED;
		act->verdict = MAIL_REPORT_NONE;
		return true;
	}
	act->kind = MAIL_REPORT_FAILED;
	act->verdict =
	        mail_report_judge(&code, MAIL_REPORT_STAGE_RCPT, true, act->words, arena, &why);
	return true;
}

static bool load_sent(struct engine *engine, int64_t id, struct spool_mail *ret, struct error *err)
{
	if (!spool_mail_load(engine->spool, id, engine->arena, ret))
		return error_set(err, EX_NOINPUT, "there is no mail %lld", (long long)id);
	bool tried = ret->attempts > 0 || ret->status == STATUS_SENDING;
	return tried || error_set(err, EX_DATAERR, "mail %lld is %s: it was never sent",
	                          (long long)id, status_name(ret->status));
}

bool engine_bounce_report(struct engine *engine, const json_t *in, json_t *out, struct error *err)
{
	struct bounce_act act = {0};
	const char *by = json_string_value(json_object_get(in, "by")), *code = "";
	const char *text = json_string_value(json_object_get(in, "text"));
	act.words = bounce_text(engine->arena, text, BOUNCE_TEXT_MAX);
	if (!judge(in, engine->arena, &act, &code, err) ||
	    !load_sent(engine, json_integer_value(json_object_get(in, "mail")), &act.mail, err))
		return false;
	if (*act.words == '\0')
		act.words = code;
	act.address = act.mail.address;
	act.redirected = engine_is_redirected(&act.mail);
	struct spool_bounce row = {
	        .time = engine->now,
	        .kind = mail_report_kind_name(act.kind),
	        .verdict = mail_report_verdict_name(act.verdict),
	        .mail = act.mail.id,
	        .contact = act.mail.contact,
	        .address = act.address,
	        .code = code,
	        .text = act.words,
	        .why = "",
	        .sender = by ? by : "",
	        .message_id = act.mail.message_id,
	};
	json_object_set_new(out, "kind", json_string(row.kind));
	json_object_set_new(out, "verdict", json_string(row.verdict));
	if (spool_bounce_known(engine->spool, &row)) {
		json_object_set_new(out, "took", json_string("again"));
		return true;
	}
	count(engine, act.kind, act.verdict);
	record_known(engine, &act, &row, out);
	return true;
}

/* ---- The relay took a mail ---- */

static void move_early(struct engine *engine, const struct spool_mail *mail)
{
	struct spool_bounce row = {0};
	bool complaint;
	while (spool_bounce_find(engine->spool, mail->id, early, row.id, engine->arena, &row)) {
		complaint = strcmp(row.kind, mail_report_kind_name(MAIL_REPORT_COMPLAINT)) == 0;
		struct bounce_act act = {
		        .mail = *mail,
		        .address = row.address,
		        .redirected = engine_is_redirected(mail),
		        .kind = complaint ? MAIL_REPORT_COMPLAINT : MAIL_REPORT_FAILED,
		        .verdict = mail_report_verdict_find(row.verdict),
		        .words = row.text,
		        .report = row.id,
		};
		spool_bounce_set_why(engine->spool, row.id, "");
		engine_bounce_move(engine, &act);
		if (act.mail.status != STATUS_SENT)
			return;
	}
}

void engine_bounce_load(struct engine *engine)
{
	engine->last_early =
	        spool_bounce_last(engine->spool, early, instant_add(engine->now, -early_ms));
}

void engine_bounce_sent(struct engine *engine, const struct spool_mail *mail)
{
	if (!engine_is_redirected(mail))
		engine_strikes_taken(engine, mail);
	if (!instant_is_none(engine->last_early) &&
	    engine->now.ms - engine->last_early.ms < early_ms)
		move_early(engine, mail);
}
