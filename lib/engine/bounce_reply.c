/* SPDX-License-Identifier: MIT */
/*
 * Replies of persons, called by bounce.c once the mail that is replied to is known. Two rules keep
 * mails from going in circles (RFC 3834): nothing that a program may have sent is sent on, and what
 * is sent on says that a program did it, with the null sender, so that nobody's program answers.
 */
#include "engine/bounce_reply.h"

#include "base/address.h"
#include "base/jsontext.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/numbers.h"
#include "engine/office_mail.h"
#include "mail/forward.h"
#include "spool/spool_reply.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 4096, SUBJECT_MAX = 200 };
static const int64_t hour_ms = INT64_C(3600) * 1000;

struct reply {
	const char *from, *subject, *words; /* without control characters but line ends */
	int64_t bytes;                      /* of the content that is offered */
	bool automatic;                     /* a program may have sent it */
	bool has_event;
	struct spool_event event;
	const char *to;  /* rep or office; "": neither has an address */
	const char *why; /* it isn't sent on: too_many, too_large; "" else */
};

/* ---- what it says ---- */

/* Anything but text becomes a space. */
static const char *clean(struct engine *engine, const json_t *object, const char *name, size_t max,
                         bool lines)
{
	const char *given = json_string_value(json_object_get(object, name));
	char *text = arena_strdup(engine->arena, bounce_text(engine->arena, given, max));
	for (char *at = text; *at; at++)
		if (((unsigned char)*at < ' ' && !(lines && *at == '\n')) || *at == 0x7f)
			*at = ' ';
	return text;
}

/* A program may have sent it, and a mail from ourselves came back. */
static bool is_automatic(struct engine *engine, const struct bounce_facts *facts, const char *from)
{
	struct mailbox ours;
	if (facts->automatic || !address_check(from, NULL))
		return true;
	return (mailbox_parse(engine->settings->mail.from, &ours, NULL) &&
	        address_same(from, ours.address)) ||
	       address_same(from, engine->settings->bounce.address);
}

static const char *find_answerer(struct engine *engine, const struct reply *reply)
{
	const struct customer *customer =
	        reply->has_event ? engine_customer(engine, reply->event.event.customer) : NULL;
	const char *rep = customer != NULL ? customer_sales_rep(customer) : "";
	const char *email = *rep ? customers_rep_email(engine->customers, rep, engine->arena) : "";
	return address_check(email, NULL) ? email : engine->settings->office.email;
}

static const char *why_not(struct engine *engine, const struct reply *reply, int64_t mail)
{
	if (reply->bytes <= 0 || reply->bytes > FORWARD_BYTES_MAX)
		return "too_large";
	if (spool_replies_to(engine->spool, mail) >= REPLIES_A_MAIL ||
	    spool_replies_since(engine->spool, instant_add(engine->now, -hour_ms)) >=
	            REPLIES_AN_HOUR)
		return "too_many";
	return "";
}

static void reply_read(struct engine *engine, const json_t *in, const struct bounce_facts *facts,
                       const struct bounce_subject *subject, struct reply *ret)
{
	const json_t *given = json_object_get(in, "reply");
	*ret = (struct reply){
	        .from = clean(engine, given, "from", ADDRESS_MAX, false),
	        .subject = clean(engine, given, "subject", SUBJECT_MAX, false),
	        .words = clean(engine, given, "text", WORDS_MAX, true),
	        .bytes = json_integer_value(json_object_get(given, "bytes")),
	};
	ret->automatic = is_automatic(engine, facts, ret->from);
	ret->has_event =
	        spool_mail_event(engine->spool, subject->mail.id, engine->arena, &ret->event);
	ret->to = find_answerer(engine, ret);
	ret->why = why_not(engine, ret, subject->mail.id);
}

/* ---- what comes of it ---- */

static json_t *forward_context(const struct reply *reply)
{
	const struct job_event *e = &reply->event.event;
	json_t *context =
	        json_pack("{s:s, s:s}", "subject", reply->subject, "reply_to", reply->from);
	if (reply->has_event) {
		json_object_set_new(context, "job", json_string(e->job));
		json_object_set_new(context, "customer", json_pack("{s:s}", "number", e->customer));
	}
	return context;
}

static void forward(struct engine *engine, const struct reply *reply, int64_t about,
                    const struct reply_content *content, int64_t report)
{
	json_t *context = forward_context(reply);
	char *text = json_dumps(context, JSON_COMPACT);
	struct spool_mail mail;
	const struct office_mail office = {
	        .template = FORWARD_STATE,
	        .id = engine_office_mail_id(engine, "reply", report),
	        .thread_id = reply->has_event ? engine_thread_id(engine, &reply->event) : "",
	        .context = text,
	        .to = reply->to,
	};
	if (engine_office_mail_add(engine, &office, &mail))
		spool_reply_add(engine->spool, mail.id, about, content->entity, content->len);
	free(text);
	json_decref(context);
}

/* On the job, of the customer: both are known by the event alone. */
static void comment(struct engine *engine, const struct reply *reply)
{
	const char *text = arena_printf(engine->arena, "%s: %s\n\n%s", reply->from, reply->subject,
	                                reply->words);
	if (!reply->has_event)
		return;
	json_t *detail = json_pack("{s:s, s:s, s:s}", "customer", reply->event.event.customer,
	                           "job", reply->event.event.job, "text", text);
	char *packed = json_dumps(detail, JSON_COMPACT);
	struct spool_office_write write = {
	        .kind = "comment", .time = engine->now, .detail = packed, .entry = ""};
	spool_office_write_add(engine->spool, &write);
	free(packed);
	json_decref(detail);
}

bool engine_is_reply(const struct bounce_facts *facts, const struct bounce_subject *subject)
{
	return facts->kind == MAIL_REPORT_REPLY && subject->known && subject->has_token &&
	       subject->token.kind == TOKEN_REPLY;
}

static const char *took_of(const struct reply *reply, bool has_content)
{
	if (reply->automatic)
		return "counted";
	if (*reply->why != '\0')
		return "parked";
	return *reply->to == '\0' || !has_content ? "commented" : "forwarded";
}

bool engine_reply_take(struct engine *engine, const json_t *in, const struct bounce_facts *facts,
                       const struct bounce_subject *subject, const struct reply_content *content,
                       struct spool_bounce *row)
{
	struct reply reply;
	reply_read(engine, in, facts, subject, &reply);
	bool goes = !reply.automatic && *reply.why == '\0' && *reply.to != '\0';
	if (goes && content == NULL)
		return false;
	row->sender = reply.from;
	row->text = bounce_text(engine->arena,
	                        arena_printf(engine->arena, "%s: %s", reply.subject, reply.words),
	                        BOUNCE_TEXT_MAX);
	row->why = reply.automatic ? "automatic" : reply.why;
	row->took = took_of(&reply, content != NULL);
	spool_bounce_add(engine->spool, row);
	if (*row->why != '\0')
		spool_replies_limit(engine->spool, subject->mail.id, REPLIES_KEPT);
	else
		comment(engine, &reply);
	if (goes && content != NULL)
		forward(engine, &reply, subject->mail.id, content, row->id);
	return true;
}
