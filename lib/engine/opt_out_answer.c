/* SPDX-License-Identifier: MIT */
/*
 * The answer to a wish for fewer mails that came by mail, called by bounce.c once the wish is on
 * record, and by mail_dispatch.c when the answer goes. It is a mail of the office's kind: it
 * reports no event and isn't judged. To whom it goes is noted beside it, since its row has no
 * contact; by that note a contact is answered once a day, however many wishes come.
 */
#include "engine/opt_out_answer.h"

#include "base/buf.h"
#include "engine/context_parts.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/office_mail.h"
#include "mail/outgoing_mail.h"
#include "model/job_state.h"
#include "model/suspension.h"
#include "rules/rules.h"
#include "spool/spool_answer.h"

#include <string.h>
#include <sysexits.h>

enum { ID_MAX = 250 };
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* Who gets it, and where; false where nobody does. */
struct addressee {
	const struct customer *customer;
	const struct zone *zone;
	const struct contact *contact;
	const char *address;
};

static bool find_addressee(struct engine *engine, const struct contact_choice *choice,
                           struct addressee *ret)
{
	enum reason ignored;
	*ret = (struct addressee){.customer = engine_customer(engine, choice->customer)};
	if (ret->customer == NULL)
		return false;
	ret->zone = rules_zone(engine->settings, engine->zones, ret->customer);
	ret->contact = customer_contact(ret->customer, choice->contact);
	if (ret->contact == NULL ||
	    suspension_find(ret->customer, SCOPE_EMAILS, ret->zone, engine->now) != NULL)
		return false;
	ret->address = contact_address(ret->contact, &ignored);
	return *ret->address != '\0';
}

/* The states by name, so that a template can ask for each; or all of them. */
static void put_choice(struct buf *out, const struct opt_out_wish *wish)
{
	context_put_name(out, "choice");
	buf_addc(out, '{');
	if (wish->all) {
		context_put_name(out, "all");
		buf_adds(out, "true");
	}
	for (int state = 0; state < JOB_STATE_COUNT && !wish->all; state++) {
		if ((wish->off & JOB_BIT(state)) == 0)
			continue;
		context_put_name(out, job_state_name((enum job_state)state));
		buf_adds(out, "true");
	}
	buf_addc(out, '}');
}

static void put_context(struct engine *engine, const struct addressee *to,
                        const struct opt_out_wish *wish, struct buf *out)
{
	buf_addc(out, '{');
	context_put_name(out, "company");
	context_put_company(out, engine->settings);
	context_put_name(out, "customer");
	context_put_customer(out, to->customer, to->zone);
	context_put_name(out, "contact");
	context_put_contact(out, to->contact);
	put_choice(out, wish);
	context_put_name(out, "bounce");
	context_put_bounce(out, engine->settings, false);
	buf_addc(out, '}');
}

/* For In-Reply-To; "" where it isn't one that can stand there (RFC 5322, section 3.6.4). */
static const char *reference(struct engine *engine, const char *id)
{
	size_t len = strlen(id);
	const char *at = strchr(id, '@');
	if (len > ID_MAX || at == NULL || at == id || at[1] == '\0')
		return "";
	for (size_t i = 0; i < len; i++)
		if (id[i] <= ' ' || id[i] >= 0x7f || id[i] == '<' || id[i] == '>')
			return "";
	return arena_printf(engine->arena, "<%s>", id);
}

static void add_mail(struct engine *engine, const struct addressee *to,
                     const struct opt_out_wish *wish)
{
	struct buf context = {0};
	struct spool_mail mail;
	put_context(engine, to, wish, &context);
	const struct office_mail office = {
	        .template = OPT_OUT_ANSWER,
	        .id = engine_office_mail_id(engine, "answer", wish->report),
	        .thread_id = reference(engine, wish->asked_by),
	        .context = buf_text(&context),
	        .shelf_life_ms = day_ms,
	        .to = to->address,
	};
	if (engine_office_mail_add(engine, &office, &mail))
		spool_answer_add(engine->spool, mail.id, to->contact->id, engine->now);
	buf_free(&context);
}

void engine_opt_out_answer(struct engine *engine, const struct contact_choice *choice,
                           const struct opt_out_wish *wish)
{
	struct addressee to;
	if (!spool_answered(engine->spool, choice->contact, instant_add(engine->now, -day_ms)) &&
	    find_addressee(engine, choice, &to))
		add_mail(engine, &to, wish);
}

/* ---- when it goes ---- */

bool engine_is_answer(const struct spool_mail *mail)
{
	return mail->contact == MAIL_OFFICE && strcmp(mail->state, OPT_OUT_ANSWER) == 0;
}

bool engine_answer_choice(struct engine *engine, const struct spool_mail *mail,
                          struct contact_choice *ret)
{
	struct error fault;
	int64_t contact = spool_answer_contact(engine->spool, mail->id);
	if (contact == 0)
		return false;
	if (contact_choice_load(engine->customers, contact, engine->arena, ret, &fault))
		return true;
	if (fault.code != EX_NOINPUT)
		spool_fail(engine->spool, &fault); /* it goes another time */
	return false;
}
