/* SPDX-License-Identifier: MIT */
/* Mails judged again (rules 6 to 11) with the data of this moment, each event in them by itself. */
#include "engine/judge.h"

#include "engine/customer_cache.h"
#include "engine/engine_private.h"

/* The mails of the event that other contacts have. */
static void find_mails(struct engine *engine, int64_t event, int64_t contact,
                       struct rules_case *subject)
{
	size_t n;
	engine_new_mails_write_event(engine, event);
	const struct spool_other_mail *others =
	        spool_other_mails(engine->spool, event, contact, engine->arena, &n);
	struct rules_mail *mails = arena_new_array(engine->arena, n, struct rules_mail);
	for (size_t i = 0; i < n; i++)
		mails[i] =
		        (struct rules_mail){others[i].contact, others[i].address, others[i].went};
	subject->mails = mails;
	subject->n_mails = n;
}

bool engine_judge_member(struct engine *engine, const struct spool_mail *mail,
                         struct mail_member *member)
{
	if (!spool_event_load(engine->spool, member->notice->event, engine->arena, &member->event))
		return false;
	member->customer = engine_customer(engine, member->event.event.customer);
	struct rules_case subject = {
	        .settings = engine->settings,
	        .zones = engine->zones,
	        .arena = engine->arena,
	        .now = engine->now,
	        .event = &member->event.event,
	        .customer = member->customer,
	};
	find_mails(engine, member->notice->event, mail->contact, &subject);
	rules_judge_again(&subject, mail->contact, &member->verdict);
	return true;
}

bool engine_judge_mail(struct engine *engine, const struct spool_mail *mail,
                       struct contact_verdict *ret)
{
	size_t n;
	struct mail_member first = {
	        .notice = spool_notices(engine->spool, mail->id, engine->arena, &n)};
	if (n == 0 || !engine_judge_member(engine, mail, &first))
		return false;
	*ret = first.verdict;
	return true;
}
