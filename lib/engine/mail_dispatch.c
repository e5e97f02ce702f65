/* SPDX-License-Identifier: MIT */
/*
 * Mails that are due: judged again (rules 6 to 11) with the data of this moment, each event in them
 * by itself, and dispatched to the mailers, as many as there is room for.
 *
 *   due ─▶ blocked by another of the same job and contact? ─▶ left for a later turn
 *       ─▶ too old? ─▶ failed, max_age
 *       ─▶ members judged: those that may not go leave, those that wait get a mail of their own
 *       ─▶ sending, with the context recorded
 */
#include "engine/mail_dispatch.h"

#include "engine/context.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/judge.h"
#include "engine/mail_create.h"
#include "engine/mail_state.h"
#include "engine/mail_yield.h"
#include "engine/sweep.h"
#include "mail/outgoing_mail.h"

#include <jansson.h>

enum { WINDOW = 64, DISPATCH_READ_MAX = 4096 };

/* Some of the mail's events may go and this one has to wait: from here on it goes alone. */
static void split_off(struct engine *engine, struct spool_mail *mail, const struct mail_member *member)
{
	engine_notice_leave(engine, mail, member->notice);
	engine_create_mail(engine, &member->event, &member->verdict);
}

/* None may go now. */
static void defer_all(struct engine *engine, struct spool_mail *mail, const struct mail_member *first)
{
	if (mail->status == STATUS_DEFERRED && mail->reason == first->verdict.reason &&
	    mail->due.ms == first->verdict.due.ms)
		return;
	mail->due = first->verdict.due;
	mail->address = first->verdict.to;
	engine_mail_set_status(engine, mail, STATUS_DEFERRED, first->verdict.reason);
}

/*
 * Judges the members. Returns the one whose address and zone the mail takes, NULL where the mail doesn't
 * go now.
 */
static const struct mail_member *judge_members(struct engine *engine, struct spool_mail *mail,
                                               struct mail_member *members, size_t n)
{
	const struct mail_member *goes = NULL, *waits = NULL;
	for (size_t i = 0; i < n; i++) {
		struct mail_member *m = &members[i];
		if (!engine_judge_member(engine, mail, m))
			continue;
		if (m->verdict.status == STATUS_QUEUED)
			goes = goes ? goes : m;
		else if (m->verdict.status == STATUS_DEFERRED)
			waits = waits && !instant_before(m->verdict.due, waits->verdict.due) ? waits : m;
		else
			engine_notice_set_verdict(engine, mail, m->notice, &m->verdict);
	}
	if (goes == NULL && waits != NULL)
		defer_all(engine, mail, waits);
	for (size_t i = 0; goes != NULL && waits != NULL && i < n; i++) {
		if (members[i].verdict.status == STATUS_DEFERRED)
			split_off(engine, mail, &members[i]);
	}
	return goes;
}

static void name_jobs(struct engine *engine, struct outgoing_mail *outgoing,
                      const struct spool_notice *notices, size_t n)
{
	const char **jobs = arena_new_array(outgoing->arena, n, const char *);
	for (size_t i = 0; i < n; i++) {
		struct spool_event event;
		if (spool_event_load(engine->spool, notices[i].event, engine->arena, &event))
			jobs[outgoing->n_jobs++] = arena_strdup(outgoing->arena, event.event.job);
	}
	outgoing->jobs = jobs;
}

/* A mail of recalled jobs tells of no event: they stand in its context alone. */
static void name_jobs_told(struct outgoing_mail *outgoing)
{
	json_t *context = json_loads(outgoing->context, 0, NULL), *list = json_object_get(context, "jobs"),
	       *job;
	const char **jobs = arena_new_array(outgoing->arena, json_array_size(list), const char *);
	size_t i;
	json_array_foreach(list, i, job)
	{
		const char *id = json_string_value(json_object_get(job, "id"));
		if (id != NULL)
			jobs[outgoing->n_jobs++] = arena_strdup(outgoing->arena, id);
	}
	outgoing->jobs = jobs;
	json_decref(context);
}

static struct outgoing_mail *write_outgoing(struct engine *engine, const struct spool_mail *mail,
                                            const struct mail_member *first,
                                            const struct spool_notice *notices, size_t n, const char *context)
{
	struct outgoing_mail *outgoing = outgoing_mail_new();
	struct arena *arena = outgoing->arena;
	const struct contact *contact = first->verdict.contact;
	const struct customer *customer = first->customer;
	outgoing->mail = mail->id;
	outgoing->to = arena_strdup(arena, mail->address);
	outgoing->to_name = arena_strdup(arena, contact ? contact->name : "");
	outgoing->template = arena_strdup(arena, mail->state);
	outgoing->locale = arena_strdup(arena, contact && *contact->locale ? contact->locale
	                                       : customer                  ? customer_locale(customer)
	                                                                   : "");
	outgoing->timezone =
	        arena_strdup(arena, zone_name(rules_zone(engine->settings, engine->zones, customer)));
	outgoing->message_id = arena_strdup(arena, mail->message_id);
	outgoing->thread_id = arena_strdup(arena, mail->thread_id);
	outgoing->made = mail->made;
	outgoing->due = mail->due;
	outgoing->context = arena_strdup(arena, context);
	if (n > 0)
		name_jobs(engine, outgoing, notices, n);
	else
		name_jobs_told(outgoing);
	return outgoing;
}

static void keep_text(struct outgoing_mail *outgoing, const char **field, const json_t *object,
                      const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	if (text != NULL)
		*field = arena_strdup(outgoing->arena, text);
}

/* A mail that was tried is in the same language, by the same clock and to the same name again, whatever has
 * become of the customer's and contact's since. */
static void write_as_before(struct outgoing_mail *outgoing)
{
	json_t *context = json_loads(outgoing->context, 0, NULL);
	const json_t *contact = json_object_get(context, "contact");
	const json_t *customer = json_object_get(context, "customer");
	outgoing->locale = "";
	keep_text(outgoing, &outgoing->locale, customer, "locale");
	keep_text(outgoing, &outgoing->locale, contact, "locale");
	keep_text(outgoing, &outgoing->timezone, customer, "timezone");
	keep_text(outgoing, &outgoing->to_name, contact, "name");
	json_decref(context);
}

/* A mail that was tried says the same again; the office's was written when it was made. */
static const char *context_of(struct engine *engine, const struct spool_mail *mail,
                              const struct spool_notice *notices, size_t n, bool *ret_recorded)
{
	const char *context = NULL;
	/* A relay's words tell of an earlier try, also in spools where a person's retry put the count back to
	 * 0. */
	if (mail->attempts > 0 || *mail->reply || mail->contact == MAIL_OFFICE)
		context = spool_mail_context(engine->spool, mail->id, engine->arena);
	*ret_recorded = context != NULL;
	if (context == NULL) {
		context = engine_context(engine, mail, notices, n);
		spool_mail_set_context(engine->spool, mail->id, context);
	}
	return context;
}

static void send(struct engine *engine, struct spool_mail *mail, const struct mail_member *first)
{
	struct turn *turn = engine->turn;
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	bool recorded;
	const char *context = context_of(engine, mail, notices, n, &recorded);
	struct outgoing_mail *outgoing = write_outgoing(engine, mail, first, notices, n, context);
	if (recorded)
		write_as_before(outgoing);
	spool_mail_move(engine->spool, mail, STATUS_SENDING, REASON_OK, engine->now);
	turn->outgoing[turn->n_outgoing++] = outgoing;
	turn->outgoing_bytes += outgoing_mail_bytes(outgoing);
}

/* By whose zone and locale a mail of recalled jobs is written. */
static const struct customer *customer_told(struct engine *engine, const char *text)
{
	json_t *context = json_loads(text, 0, NULL);
	const char *number =
	        json_string_value(json_object_get(json_object_get(context, "customer"), "number"));
	const struct customer *customer = number ? engine_customer(engine, number) : NULL;
	json_decref(context);
	return customer;
}

/* The office's mails are asked nothing: it has to know. */
static void dispatch_office(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice)
{
	struct mail_member member = {.notice = notice};
	mail->address = engine->settings->office.email;
	const char *context =
	        notice == NULL ? spool_mail_context(engine->spool, mail->id, engine->arena) : NULL;
	bool told = notice != NULL
	                    ? spool_event_load(engine->spool, notice->event, engine->arena, &member.event)
	                    : context != NULL;
	if (!*mail->address || !told) {
		engine_mail_set_status(engine, mail, STATUS_SUPPRESSED, REASON_NO_ADDRESS);
		return;
	}
	member.customer = notice != NULL ? engine_customer(engine, member.event.event.customer)
	                                 : customer_told(engine, context);
	send(engine, mail, &member);
}

static bool blocked(struct engine *engine, const struct spool_notice *notices, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (spool_notice_blocked(engine->spool, &notices[i], engine->now))
			return true;
	}
	return false;
}

static void dispatch(struct engine *engine, int64_t id)
{
	struct spool_mail mail;
	size_t n;
	if (!spool_mail_load(engine->spool, id, engine->arena, &mail))
		return;
	struct spool_notice *notices = spool_notices(engine->spool, id, engine->arena, &n);
	if ((n == 0 && mail.contact != MAIL_OFFICE) || blocked(engine, notices, n))
		return;
	if (engine->now.ms - mail.made.ms >= engine->settings->mail.max_age_ms) {
		engine_mail_set_status(engine, &mail, STATUS_FAILED, REASON_MAX_AGE);
		return;
	}
	if (mail.contact == MAIL_OFFICE) {
		dispatch_office(engine, &mail, n > 0 ? &notices[0] : NULL);
		return;
	}
	struct mail_member *members = arena_new_array(engine->arena, n, struct mail_member);
	for (size_t i = 0; i < n; i++)
		members[i].notice = &notices[i];
	const struct mail_member *first = judge_members(engine, &mail, members, n);
	if (first == NULL)
		return;
	mail.address = first->verdict.to;
	send(engine, &mail, first);
}

static bool has_room(struct engine *engine)
{
	const struct turn *turn = engine->turn;
	if (turn->n_outgoing == 0)
		return turn->room > 0;
	return turn->n_outgoing < turn->room &&
	       (turn->room_bytes == 0 || turn->outgoing_bytes < turn->room_bytes) &&
	       !engine_turn_is_full(engine);
}

/* Those that yield, or those that don't. */
static void dispatch_due(struct engine *engine, bool yielding)
{
	struct turn *turn = engine->turn;
	struct spool_due window[WINDOW], after = {.id = 0, .due = INSTANT_NONE};
	size_t read = 0;
	while (has_room(engine) && read < DISPATCH_READ_MAX && !spool_failed(engine->spool)) {
		size_t n = spool_mails_due(engine->spool, engine->now, after, window, WINDOW);
		for (size_t i = 0; i < n && has_room(engine); i++) {
			if (engine_yields(engine, window[i].id) == yielding)
				dispatch(engine, window[i].id);
		}
		if (n < WINDOW)
			return;
		after = window[n - 1];
		read += n;
	}
	turn->more |= read >= DISPATCH_READ_MAX && turn->n_outgoing > 0;
}

void engine_dispatch_mails(struct engine *engine)
{
	struct turn *turn = engine->turn;
	turn->outgoing = arena_new_array(turn->arena, turn->room, struct outgoing_mail *);
	dispatch_due(engine, false);
	if (engine->n_yielding > 0)
		dispatch_due(engine, true);
}
