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
#include "engine/redirect.h"
#include "model/job_state.h"
#include "spool/spool_bounce.h"

#include <string.h>
#include <syslog.h>

static bool is_office(const struct bounce_act *act)
{
	return act->mail.contact == MAIL_OFFICE;
}

/* Read once: who is mailed and where it was said is the same to the end. */
static void load_event(struct engine *engine, struct bounce_act *act)
{
	act->has_event = spool_mail_event(engine->spool, act->mail.id, engine->arena, &act->event);
}

/* As of now: with the marks that were made so far. NULL where the event is gone, or the customer.
 */
static const struct customer *customer_of(struct engine *engine, const struct bounce_act *act)
{
	return act->has_event ? engine_customer(engine, act->event.event.customer) : NULL;
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
	if (is_office(act) || act->redirected || !instant_before(engine->now, act->mail.expires) ||
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
	const struct contact *contact =
	        is_office(act) ? NULL
	                       : customer_contact(customer_of(engine, act), act->mail.contact);
	return contact != NULL && !still_used(contact, act->address);
}

static void move(struct engine *engine, struct bounce_act *act)
{
	struct spool_mail *mail = &act->mail;
	if (mail->status != STATUS_SENT || strcmp(mail->address, act->address) != 0 ||
	    act->redirected != engine_is_redirected(mail))
		return;
	mail->reply = act->words;
	engine_mail_set_status(engine, mail, STATUS_BOUNCED, reason_of(act));
	report_line(engine, act);
	bool dead = act->verdict == MAIL_REPORT_GONE || act->verdict == MAIL_REPORT_BUSY;
	if (act->kind != MAIL_REPORT_COMPLAINT && dead && is_marked(engine, act))
		send_to_alternate(engine, act);
}

void engine_bounce_move(struct engine *engine, struct bounce_act *act)
{
	load_event(engine, act);
	move(engine, act);
}

/* ---- The address ---- */

/* False where it was marked before, or isn't the contact's anymore. */
static bool mark(struct engine *engine, const struct bounce_act *act)
{
	const struct customer *customer = customer_of(engine, act);
	const struct contact *contact = customer_contact(customer, act->mail.contact);
	if (customer != NULL && (contact == NULL || !still_used(contact, act->address)))
		return false;
	bool before = engine_can_reach(engine, customer);
	engine_refuse_address(engine, act->mail.contact, act->address, act->words);
	spool_strikes_clear(engine->spool, act->mail.contact, act->address);
	if (before)
		engine_bounce_unreachable(engine, act);
	return true;
}

static const char *strike(struct engine *engine, const struct bounce_act *act)
{
	const struct zone *zone =
	        rules_zone(engine->settings, engine->zones, customer_of(engine, act));
	bool enough =
	        engine_strike(engine, act->mail.contact, act->address, zone_day(zone, engine->now));
	return enough && mark(engine, act) ? "marked" : "struck";
}

/* As if its recipient had switched all mails off. */
static const char *complain(struct engine *engine, const struct bounce_act *act)
{
	bool before = engine_can_reach(engine, customer_of(engine, act));
	engine_choose_states(engine, act->mail.contact, "", JOB_NOTIFY_ALL, 0);
	engine_report_often(engine, REPORT_ADDRESS, LOG_NOTICE,
	                    "complaint contact=%lld to=%s words=\"%s\": gets no more mails",
	                    (long long)act->mail.contact, act->address, act->words);
	if (before)
		engine_bounce_unreachable(engine, act);
	return "complained";
}

static const char *address_says(struct engine *engine, const struct bounce_act *act)
{
	if (is_office(act) || act->redirected)
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
	load_event(engine, act);
	const char *took = address_says(engine, act);
	move(engine, act);
	if (given_up && act->verdict == MAIL_REPORT_GONE && strcmp(took, "marked") == 0)
		send_to_alternate(engine, act); /* one that had bounced as busy before */
	return !moves && strcmp(took, "bounced") == 0 ? "counted" : took;
}
