/* SPDX-License-Identifier: MIT */
/*
 * Which mail a report is about. A token names it and can't be forged; without one the report's word
 * has to agree with what only the relay and we know.
 *
 *   token in the recipient ─▶ token in the returned mail ─▶ envelope's id ─▶ Message-ID
 */
#include "engine/bounce_subject.h"

#include "base/address.h"
#include "engine/engine_private.h"
#include "engine/opt_out.h"
#include "engine/redirect.h"
#include "mail/mail_tokens.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum {
	HOUR_MS = 3600 * 1000,
	MATCHED_DAYS = 14,
	SEARCHES_MAX = 20, /* an hour, each of them through many mails */
};

/* ---- Which mail it names ---- */

/* Searches go through many mails: so many an hour, whoever asks. */
static bool may_search(struct engine *engine)
{
	int64_t age_ms = engine->now.ms - engine->searches_began_ms;
	if (age_ms < 0 || age_ms >= HOUR_MS) {
		engine->searches_began_ms = engine->now.ms;
		engine->n_searches = 0;
	}
	return engine->n_searches++ < SEARCHES_MAX;
}

/* Message-IDs of ours are `40 hex digits @ domain`. */
static bool is_ours(const struct engine *engine, const char *message_id)
{
	enum { DIGITS = 40 };
	size_t n = strspn(message_id, "0123456789abcdef");
	return n == DIGITS && message_id[n] == '@' &&
	       strcasecmp(message_id + n + 1, engine->from_domain) == 0;
}

static int64_t matched_mail(struct engine *engine, const struct bounce_facts *facts,
                            struct instant since)
{
	static const char prefix[] = "dispatchd-"; /* as the mailers send ENVID (RFC 3461) */
	const size_t len = sizeof prefix - 1;
	char *end;
	if (strncasecmp(facts->envelope_id, prefix, len) == 0) {
		long long id = strtoll(facts->envelope_id + len, &end, 10);
		if (*end == '\0' && id > 0)
			return id;
	}
	if (!is_ours(engine, facts->message_id) || !may_search(engine))
		return 0;
	return spool_mail_of_message_id(
	        engine->spool, arena_printf(engine->arena, "<%s>", facts->message_id), since);
}

/* ---- By a token ---- */

static bool signed_for(struct engine *engine, const struct token *token,
                       const struct spool_mail *mail, const char *address)
{
	return *address != '\0' &&
	       token_verify(&engine->token_keys, token, address, mail->message_id);
}

/* As one that was to go to its address, and was redirected. */
static bool signed_redirected(struct engine *engine, const struct token *token,
                              const struct spool_mail *mail)
{
	char over[MAIL_TOKENS_OVER_SIZE];
	mail_tokens_redirected(mail->address, over);
	return *mail->address != '\0' && signed_for(engine, token, mail, over);
}

/* To the address in its row, or to one where it went before. */
static bool verify_mail(struct engine *engine, struct bounce_subject *subject)
{
	size_t n;
	const struct token *token = &subject->token;
	const struct spool_mail *mail = &subject->mail;
	subject->address = mail->address;
	subject->redirected = signed_redirected(engine, token, mail);
	if (subject->redirected || signed_for(engine, token, mail, mail->address))
		return true;
	const char **others = spool_mail_addresses(engine->spool, mail->id, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		subject->address = others[i];
		if (signed_for(engine, token, mail, others[i]))
			return true;
	}
	return false;
}

/* Which kind of token a kind of report may come with. */
static bool fits(enum token_kind token, enum mail_report_kind kind)
{
	switch (kind) {
	case MAIL_REPORT_FAILED:
	case MAIL_REPORT_DELAYED:
	case MAIL_REPORT_DELIVERED:
		return token == TOKEN_REPORT;
	case MAIL_REPORT_COMPLAINT:
		return token == TOKEN_REPORT || token == TOKEN_OPT_OUT;
	case MAIL_REPORT_OPT_OUT:
		return token == TOKEN_OPT_OUT;
	case MAIL_REPORT_REPLY:
		return token == TOKEN_REPLY;
	case MAIL_REPORT_UNKNOWN:
	case MAIL_REPORT_AUTO_REPLY:
	case MAIL_REPORT_KINDS:
		break;
	}
	return true;
}

/* A complaint may bear only the token of the contact: which of the contact's mails it is about is
 * then as the complaint says. */
static void find_mail_of_contact(struct engine *engine, const struct bounce_facts *facts,
                                 struct bounce_subject *ret)
{
	struct instant since = instant_add(engine->now, -(int64_t)MATCHED_DAYS * 24 * HOUR_MS);
	int64_t id = matched_mail(engine, facts, since);
	ret->known = id != 0 && spool_mail_load(engine->spool, id, engine->arena, &ret->mail) &&
	             ret->mail.contact == ret->token.id && !engine_is_redirected(&ret->mail);
	if (ret->known)
		ret->address = ret->mail.address;
}

/* What can't be read may be anybody's: none of the turn happens, and the report comes again. */
static bool verify_contact(struct engine *engine, const struct token *token,
                           struct contact_choice *ret)
{
	struct error fault;
	if (engine_opt_out_verify(engine, token, ret, &fault))
		return true;
	if (fault.code != EX_NOINPUT && fault.code != EX_CONFIG)
		spool_fail(engine->spool, &fault);
	return false;
}

static void find_signed(struct engine *engine, const struct bounce_facts *facts,
                        struct bounce_subject *ret)
{
	const struct token *token = &ret->token;
	if (token->kind == TOKEN_OPT_OUT) {
		ret->has_token = verify_contact(engine, token, &ret->choice);
		ret->why = ret->has_token ? "" : "forged";
		if (ret->has_token && facts->kind == MAIL_REPORT_COMPLAINT)
			find_mail_of_contact(engine, facts, ret);
	} else if (!spool_mail_load(engine->spool, token->id, engine->arena, &ret->mail)) {
		ret->why = spool_mail_id_known(engine->spool, token->id) ? "old" : "forged";
	} else if (!verify_mail(engine, ret)) {
		ret->why = *ret->mail.address != '\0' ? "forged" : "old";
	} else {
		ret->has_token = ret->known = true;
	}
	if (ret->has_token && !fits(token->kind, facts->kind)) {
		ret->known = false;
		ret->why = "other_kind";
	}
}

static bool find_token(struct engine *engine, const struct bounce_facts *facts, struct token *ret)
{
	const struct settings *settings = engine->settings;
	size_t len = 0;
	const char *text = token_in_address(facts->recipient, settings->bounce.address,
	                                    settings->bounce.delimiter, &len);
	if (text != NULL && len > 0 && token_parse(text, len, ret))
		return true;
	return token_parse(facts->token, strlen(facts->token), ret);
}

/* ---- By what the report says of the mail ---- */

/* Whether `id` is a word of what the relay said when it took the mail. */
static bool says(const char *reply, const char *id)
{
	size_t len = strlen(id);
	for (const char *p = reply; (p = strcasestr(p, id)) != NULL; p++) {
		bool begins = p == reply || !isalnum((unsigned char)p[-1]);
		if (begins && !isalnum((unsigned char)p[len]))
			return true;
	}
	return false;
}

static bool agrees(const struct bounce_facts *facts, const struct spool_mail *mail)
{
	bool recipient = false, relay = false;
	for (size_t i = 0; i < facts->n_recipients; i++)
		recipient |= strcasecmp(facts->recipients[i].address, mail->address) == 0;
	for (size_t i = 0; i < facts->n_queue_ids; i++)
		relay |= says(mail->reply, facts->queue_ids[i]);
	return recipient && relay && *mail->address != '\0';
}

static void find_matched(struct engine *engine, const struct bounce_facts *facts,
                         struct bounce_subject *ret)
{
	struct instant since = instant_add(engine->now, -(int64_t)MATCHED_DAYS * 24 * HOUR_MS);
	struct spool_mail mail;
	int64_t id = matched_mail(engine, facts, since);
	ret->why = "no_token";
	if (id == 0 || !spool_mail_load(engine->spool, id, engine->arena, &mail) ||
	    instant_before(mail.changed, since) || mail.contact == MAIL_OFFICE ||
	    engine_is_redirected(&mail))
		return;
	ret->mail = mail;
	ret->address = mail.address;
	if (!agrees(facts, &mail) || mail.status != STATUS_SENT)
		ret->why = "unproven";
	else if (spool_bounces_because(engine->spool, "matched",
	                               instant_add(engine->now, -HOUR_MS)) >= BOUNCE_MATCHED_MAX)
		ret->why = "too_many";
	else
		ret->why = "matched";
	ret->known = strcmp(ret->why, "matched") == 0;
}

void engine_bounce_find(struct engine *engine, const struct bounce_facts *facts,
                        struct bounce_subject *ret)
{
	*ret = (struct bounce_subject){.address = "", .why = ""};
	if (find_token(engine, facts, &ret->token))
		find_signed(engine, facts, ret);
	else
		find_matched(engine, facts, ret);
}
