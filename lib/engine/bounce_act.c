/* SPDX-License-Identifier: MIT */
/*
 * What comes of a report, by its verdict (contract, section 11). The mail leaves `sent` at most
 * once; what a report says of the address counts whatever the mail is by now.
 *
 *   gone ──────▶ bounced, address_refused ─▶ address marked ─▶ the alternate one gets a mail
 *   busy ──────▶ bounced, mail_busy ───────▶ a strike; the third day marks the address
 *   refused ───▶ bounced, mail_refused ────▶ many of them alarm the office (bounce_office.c)
 *   complaint ─▶ bounced, complained ──────▶ the contact gets no more mails
 */
#include "engine/bounce_act.h"

#include "engine/bounce_mail.h"
#include "engine/bounce_office.h"
#include "engine/bounce_strikes.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/judge.h"
#include "engine/mail_state.h"
#include "spool/spool_bounce.h"

#include <string.h>
#include <syslog.h>

static bool is_office(const struct bounce_act *act)
{
	return act->mail.contact == MAIL_OFFICE;
}

/* The first event of the mail, with whose customer it is. False where it is gone from the spool. */
static bool first_event(struct engine *engine, const struct bounce_act *act,
                        struct spool_event *ret)
{
	size_t n;
	const struct spool_notice *notices =
	        spool_notices(engine->spool, act->mail.id, engine->arena, &n);
	return n > 0 && spool_event_load(engine->spool, notices[0].event, engine->arena, ret);
}

static const struct contact *contact_of(struct engine *engine, const struct customer *customer,
                                        int64_t id)
{
	size_t n = 0;
	const struct contact *const *contacts =
	        customer != NULL ? customer_contacts(customer, engine->arena, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		if (contacts[i]->id == id)
			return contacts[i];
	return NULL;
}

/* Whether the contact is still mailed at that address. */
static bool still_used(const struct contact *contact, const char *address)
{
	return (strcmp(contact->email, address) == 0 && instant_is_none(contact->email_invalid)) ||
	       (strcmp(contact->alt_email, address) == 0 &&
	        instant_is_none(contact->alt_email_invalid));
}

/* ---- The mail ---- */

static void report_line(struct engine *engine, const struct bounce_act *act)
{
	engine_report_often(engine, REPORT_BOUNCE, LOG_NOTICE,
	                    "mail=%lld status=%s reason=%s report=%lld to=%s reply=\"%s\"",
	                    (long long)act->mail.id, status_name(act->mail.status),
	                    reason_name(act->mail.reason), (long long)act->report, act->address,
	                    act->words);
}

/* One that is worth it still goes to the contact's other address. */
static void send_to_alternate(struct engine *engine, const struct bounce_act *act)
{
	struct contact_verdict again = {.to = ""};
	if (is_office(act) || !instant_before(engine->now, act->mail.expires) ||
	    !engine_judge_mail(engine, &act->mail, &again))
		return;
	bool goes = again.status == STATUS_QUEUED || again.status == STATUS_DEFERRED;
	if (goes && *again.to != '\0' && strcmp(again.to, act->address) != 0)
		engine_create_alternate(engine, &act->mail, again.to);
}

static enum reason reason_of(const struct bounce_act *act)
{
	if (act->kind == MAIL_REPORT_COMPLAINT)
		return REASON_COMPLAINED;
	return act->verdict == MAIL_REPORT_GONE   ? REASON_ADDRESS_REFUSED
	       : act->verdict == MAIL_REPORT_BUSY ? REASON_MAIL_BUSY
	                                          : REASON_MAIL_REFUSED;
}

/* Whether the address is one to which nothing goes anymore. */
static bool is_marked(struct engine *engine, const struct bounce_act *act)
{
	struct spool_event event;
	if (is_office(act) || !first_event(engine, act, &event))
		return false;
	const struct contact *contact = contact_of(
	        engine, engine_customer(engine, event.event.customer), act->mail.contact);
	return contact != NULL && !still_used(contact, act->address);
}

void engine_bounce_move(struct engine *engine, struct bounce_act *act)
{
	struct spool_mail *mail = &act->mail;
	if (mail->status != STATUS_SENT || strcmp(mail->address, act->address) != 0)
		return;
	mail->reply = act->words;
	engine_mail_set_status(engine, mail, STATUS_BOUNCED, reason_of(act));
	report_line(engine, act);
	bool dead = act->verdict == MAIL_REPORT_GONE || act->verdict == MAIL_REPORT_BUSY;
	if (act->kind != MAIL_REPORT_COMPLAINT && dead && is_marked(engine, act))
		send_to_alternate(engine, act);
}

/* ---- The address ---- */

/* False where it was marked before, or isn't the contact's anymore. */
static bool mark(struct engine *engine, const struct bounce_act *act)
{
	struct spool_event event;
	bool has_event = first_event(engine, act, &event);
	const struct customer *customer =
	        has_event ? engine_customer(engine, event.event.customer) : NULL;
	const struct contact *contact = contact_of(engine, customer, act->mail.contact);
	if (customer != NULL && (contact == NULL || !still_used(contact, act->address)))
		return false;
	bool before = engine_can_reach(engine, customer);
	engine_refuse_address(engine, act->mail.contact, act->address, act->words);
	spool_strikes_clear(engine->spool, act->mail.contact, act->address);
	if (has_event && before)
		engine_bounce_unreachable(engine, &event, act);
	return true;
}

static const struct zone *zone_of(struct engine *engine, const struct bounce_act *act)
{
	struct spool_event event;
	const struct customer *customer = first_event(engine, act, &event)
	                                          ? engine_customer(engine, event.event.customer)
	                                          : NULL;
	return rules_zone(engine->settings, engine->zones, customer);
}

static const char *strike(struct engine *engine, const struct bounce_act *act)
{
	struct day today = zone_day(zone_of(engine, act), engine->now);
	bool enough = engine_strike(engine, act->mail.contact, act->address, today);
	return enough && mark(engine, act) ? "marked" : "struck";
}

static const char *complain(struct engine *engine, const struct bounce_act *act)
{
	struct spool_event event;
	bool has_event = first_event(engine, act, &event);
	bool before = has_event &&
	              engine_can_reach(engine, engine_customer(engine, event.event.customer));
	engine_no_more_mails(engine, act->mail.contact, act->address, act->words);
	if (before)
		engine_bounce_unreachable(engine, &event, act);
	return "complained";
}

static const char *address_says(struct engine *engine, const struct bounce_act *act)
{
	if (is_office(act))
		return "bounced";
	if (act->kind == MAIL_REPORT_COMPLAINT)
		return complain(engine, act);
	if (act->verdict == MAIL_REPORT_GONE)
		return mark(engine, act) ? "marked" : "bounced";
	if (act->verdict == MAIL_REPORT_BUSY)
		return strike(engine, act);
	return "bounced";
}

const char *engine_bounce_act(struct engine *engine, struct bounce_act *act, bool *ret_early)
{
	bool says = act->kind == MAIL_REPORT_COMPLAINT ||
	            (act->kind == MAIL_REPORT_FAILED && act->verdict != MAIL_REPORT_NONE);
	*ret_early = says && act->mail.status == STATUS_SENDING &&
	             strcmp(act->mail.address, act->address) == 0;
	if (!says)
		return "counted";
	bool moves = act->mail.status == STATUS_SENT || *ret_early;
	bool given_up = act->mail.status == STATUS_BOUNCED && act->mail.reason == REASON_MAIL_BUSY;
	const char *took = address_says(engine, act);
	engine_bounce_move(engine, act);
	if (given_up && act->verdict == MAIL_REPORT_GONE && strcmp(took, "marked") == 0)
		send_to_alternate(engine, act); /* one that had bounced as busy before */
	return !moves && strcmp(took, "bounced") == 0 ? "counted" : took;
}
