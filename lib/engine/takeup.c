/* SPDX-License-Identifier: MIT */
/*
 * Mails that are due: judged again (rules 6 to 11) with the data of this moment, each event in them
 * by itself, and handed to the mailers, as many as there is room for.
 *
 *   due ─▶ blocked by another of the same job and contact? ─▶ left for a later turn
 *       ─▶ too old? ─▶ failed, max_age
 *       ─▶ members judged: those that may not go leave, those that wait get a mail of their own
 *       ─▶ sending, with the context recorded
 */
#include "engine/engine_private.h"

#include "base/mem.h"

#include <string.h>

enum { WINDOW = 64, LOOKED_AT_MAX = 4096, DEFERRED_A_TURN = 1000, SENDING_MAX = 4096, YIELDING_MAX = 4096 };

struct member {
	const struct spool_notice *notice;
	struct spool_event event;
	struct contact_verdict verdict;
	const struct customer *customer;
};

/* What other contacts have of the event. */
static void find_mails(struct engine *engine, int64_t event, int64_t contact, struct rules_case *asked)
{
	size_t n;
	const struct spool_other_mail *others =
	        spool_other_mails(engine->spool, event, contact, engine->arena, &n);
	struct rules_mail *mails = arena_new_array(engine->arena, n, struct rules_mail);
	for (size_t i = 0; i < n; i++)
		mails[i] = (struct rules_mail){others[i].contact, others[i].address, others[i].went};
	asked->mails = mails;
	asked->n_mails = n;
}

static bool judge_member(struct engine *engine, const struct spool_mail *mail, struct member *member)
{
	if (!spool_event_load(engine->spool, member->notice->event, engine->arena, &member->event))
		return false;
	member->customer = engine_customer(engine, member->event.event.customer);
	struct rules_case asked = {
	        .settings = engine->settings,
	        .zones = engine->zones,
	        .arena = engine->arena,
	        .now = engine->now,
	        .event = &member->event.event,
	        .customer = member->customer,
	};
	find_mails(engine, member->notice->event, mail->contact, &asked);
	rules_judge_again(&asked, mail->contact, &member->verdict);
	return true;
}

bool engine_judge_mail(struct engine *engine, const struct spool_mail *mail, struct contact_verdict *ret)
{
	size_t n;
	struct member first = {.notice = spool_notices(engine->spool, mail->id, engine->arena, &n)};
	if (n == 0 || !judge_member(engine, mail, &first))
		return false;
	*ret = first.verdict;
	return true;
}

/* Some of the mail's events may go and this one has to wait: from here on it goes alone. */
static void split_off(struct engine *engine, struct spool_mail *mail, const struct member *member)
{
	engine_notice_leaves(engine, mail, member->notice);
	engine_make_mail(engine, &member->event, &member->verdict);
}

/* None may go now. */
static void defer_all(struct engine *engine, struct spool_mail *mail, const struct member *first)
{
	if (mail->status == STATUS_DEFERRED && mail->reason == first->verdict.reason &&
	    mail->due.ms == first->verdict.due.ms)
		return;
	mail->due = first->verdict.due;
	mail->address = first->verdict.to;
	engine_mail_ends(engine, mail, STATUS_DEFERRED, first->verdict.reason);
}

/*
 * Judges the members. Returns the one whose address and zone the mail takes, NULL where the mail doesn't
 * go now.
 */
static const struct member *judge_members(struct engine *engine, struct spool_mail *mail,
                                          struct member *members, size_t n)
{
	const struct member *goes = NULL, *waits = NULL;
	for (size_t i = 0; i < n; i++) {
		struct member *m = &members[i];
		if (!judge_member(engine, mail, m))
			continue;
		if (m->verdict.status == STATUS_QUEUED)
			goes = goes ? goes : m;
		else if (m->verdict.status == STATUS_DEFERRED)
			waits = waits && !instant_before(m->verdict.due, waits->verdict.due) ? waits : m;
		else
			engine_notice_stops(engine, mail, m->notice, &m->verdict);
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

/* A mail of jobs called back tells of no event: they stand in its context alone. */
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
                                            const struct member *first, const struct spool_notice *notices,
                                            size_t n, const char *context)
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

static void send(struct engine *engine, struct spool_mail *mail, const struct member *first)
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

/* By whose zone and locale a mail of jobs called back is written. */
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
static void take_up_office(struct engine *engine, struct spool_mail *mail, const struct spool_notice *notice)
{
	struct member member = {.notice = notice};
	mail->address = engine->settings->office.email;
	const char *context =
	        notice == NULL ? spool_mail_context(engine->spool, mail->id, engine->arena) : NULL;
	bool told = notice != NULL
	                    ? spool_event_load(engine->spool, notice->event, engine->arena, &member.event)
	                    : context != NULL;
	if (!*mail->address || !told) {
		engine_mail_ends(engine, mail, STATUS_SUPPRESSED, REASON_NO_ADDRESS);
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

static void take_up(struct engine *engine, int64_t id)
{
	struct spool_mail mail;
	size_t n;
	if (!spool_mail_load(engine->spool, id, engine->arena, &mail))
		return;
	struct spool_notice *notices = spool_notices(engine->spool, id, engine->arena, &n);
	if ((n == 0 && mail.contact != MAIL_OFFICE) || blocked(engine, notices, n))
		return;
	if (engine->now.ms - mail.made.ms >= engine->settings->mail.max_age_ms) {
		engine_mail_ends(engine, &mail, STATUS_FAILED, REASON_MAX_AGE);
		return;
	}
	if (mail.contact == MAIL_OFFICE) {
		take_up_office(engine, &mail, n > 0 ? &notices[0] : NULL);
		return;
	}
	struct member *members = arena_new_array(engine->arena, n, struct member);
	for (size_t i = 0; i < n; i++)
		members[i].notice = &notices[i];
	const struct member *first = judge_members(engine, &mail, members, n);
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

/* Where it is, or would be. */
static size_t find_yielding(const struct engine *engine, int64_t mail)
{
	size_t low = 0, high = engine->n_yielding;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (engine->yielding[middle] < mail)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool yields(const struct engine *engine, int64_t mail)
{
	size_t i = find_yielding(engine, mail);
	return i < engine->n_yielding && engine->yielding[i] == mail;
}

void engine_yield(struct engine *engine, int64_t mail, bool on)
{
	if (yields(engine, mail) == on)
		return;
	/* Some of them ended in another way; those that still yield come to be known again. */
	if (on && engine->n_yielding == YIELDING_MAX)
		engine->n_yielding = 0;
	size_t i = find_yielding(engine, mail);
	if (on && engine->n_yielding == engine->cap_yielding) {
		engine->cap_yielding = engine->cap_yielding ? engine->cap_yielding * 2 : 64;
		engine->yielding = mem_realloc(engine->yielding, engine->cap_yielding, sizeof mail);
	}
	int64_t *at = engine->yielding + i;
	memmove(at + on, at + !on, (engine->n_yielding - i - !on) * sizeof mail);
	if (on)
		*at = mail;
	engine->n_yielding += on ? 1 : -(size_t)1;
}

/* Those that yield, or those that don't. */
static void hand_out(struct engine *engine, bool yielding)
{
	struct turn *turn = engine->turn;
	struct spool_due window[WINDOW], after = {.id = 0, .due = INSTANT_NONE};
	size_t looked_at = 0;
	while (has_room(engine) && looked_at < LOOKED_AT_MAX && !spool_failed(engine->spool)) {
		size_t n = spool_mails_due(engine->spool, engine->now, after, window, WINDOW);
		for (size_t i = 0; i < n && has_room(engine); i++) {
			if (yields(engine, window[i].id) == yielding)
				take_up(engine, window[i].id);
		}
		if (n < WINDOW)
			return;
		after = window[n - 1];
		looked_at += n;
	}
	turn->more |= looked_at >= LOOKED_AT_MAX && turn->n_outgoing > 0;
}

void engine_hand_out(struct engine *engine)
{
	struct turn *turn = engine->turn;
	turn->outgoing = arena_new_array(turn->arena, turn->room, struct outgoing_mail *);
	hand_out(engine, false);
	if (engine->n_yielding > 0)
		hand_out(engine, true);
}

/* A mail that waits for an opening may go sooner when its customer's hours have changed. That it has to wait
 * longer, or may not go at all, is found out when it is due. */
static void look_at(struct engine *engine, int64_t id)
{
	struct spool_mail mail;
	struct contact_verdict verdict;
	if (!spool_mail_load(engine->spool, id, engine->arena, &mail) || mail.status != STATUS_DEFERRED ||
	    mail.reason != REASON_OUTSIDE_HOURS || !instant_before(engine->now, mail.due) ||
	    !engine_judge_mail(engine, &mail, &verdict))
		return;
	if (verdict.status != STATUS_QUEUED && verdict.status != STATUS_DEFERRED)
		return;
	/* One that others may join stays open to them, and waits for them from the opening on. */
	int64_t wait_ms = mail.open ? engine->settings->notify[job_state_find(mail.state)].group_wait_ms : 0;
	struct instant opening = verdict.status == STATUS_QUEUED ? engine->now : verdict.due;
	struct instant due = instant_add(opening, wait_ms);
	if (!instant_before(due, mail.due))
		return;
	mail.due = due;
	mail.address = verdict.to;
	if (mail.open || verdict.status == STATUS_QUEUED)
		spool_mail_set_due(engine->spool, id, due);
	else
		engine_mail_ends(engine, &mail, STATUS_DEFERRED, verdict.reason);
}

void engine_look_at_deferred(struct engine *engine)
{
	struct scan *scan = &engine->scans.deferred;
	int64_t ids[DEFERRED_A_TURN];
	(void)engine_scan_begin(engine, scan);
	if (!scan->all || engine->scans.held.after > 0) /* held jobs are to go within a second: they first */
		return;
	size_t n = spool_mails_with(engine->spool, STATUS_DEFERRED, scan->after, ids, DEFERRED_A_TURN);
	for (size_t i = 0; i < n && !spool_failed(engine->spool); i++)
		look_at(engine, ids[i]);
	engine_scan_end(engine, scan, ids, n, DEFERRED_A_TURN);
}

/* ---- Mails that wait for a mailer behind others, on a slow relay for minutes ---- */

void engine_recall(struct engine *engine, int64_t mail)
{
	struct turn *turn = engine->turn;
	turn->recalled =
	        arena_grow(turn->arena, turn->recalled, turn->n_recalled, &turn->cap_recalled, sizeof mail);
	turn->recalled[turn->n_recalled++] = mail;
}

/* Would each event in it still be sent, and to the address that it was handed out with? */
static bool still_goes(struct engine *engine, const struct spool_mail *mail)
{
	size_t n;
	struct spool_notice *notices = spool_notices(engine->spool, mail->id, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		struct member member = {.notice = &notices[i]};
		if (judge_member(engine, mail, &member) &&
		    (member.verdict.status != STATUS_QUEUED || strcmp(member.verdict.to, mail->address) != 0))
			return false;
	}
	return true;
}

void engine_look_at_sending(struct engine *engine)
{
	int64_t ids[SENDING_MAX];
	if (!engine->customers_came)
		return;
	size_t n = spool_mails_sending(engine->spool, ids, SENDING_MAX);
	for (size_t i = 0; i < n; i++) {
		struct spool_mail mail;
		if (spool_mail_load(engine->spool, ids[i], engine->arena, &mail) &&
		    mail.contact != MAIL_OFFICE && !still_goes(engine, &mail))
			engine_recall(engine, mail.id);
	}
}
