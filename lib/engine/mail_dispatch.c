/* SPDX-License-Identifier: MIT */
/*
 * Mails that are due: judged again (rules 6 to 11) with the data of this moment, each event in them
 * by itself, and dispatched to the mailers, as many as there is room for.
 *
 *   due ─▶ blocked by another of the same job and contact? ─▶ left for a later turn
 *       ─▶ too old? ─▶ failed, max_age
 *       ─▶ members judged: those that may not go leave, those that wait get a mail of their own
 *       ─▶ sending, with the context recorded
 *
 * New mails (mail_new.h) were judged in this very turn, with the data of this moment: each goes in
 * its place among those that are due, and becomes a row in the state that it takes here.
 */
#include "engine/mail_dispatch.h"

#include "base/jsontext.h"
#include "engine/context.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/judge.h"
#include "engine/limits.h"
#include "engine/mail_create.h"
#include "engine/mail_new.h"
#include "engine/mail_state.h"
#include "engine/mail_wait.h"
#include "engine/mail_yield.h"
#include "engine/opt_out_answer.h"
#include "engine/redirect.h"
#include "engine/sweep.h"
#include "mail/forward.h"
#include "mail/outgoing_mail.h"
#include "spool/spool_reply.h"

#include <jansson.h>
#include <string.h>

enum { WINDOW = 64, DISPATCH_READ_MAX = 4096 };

/* Some of the mail's events may go and this one has to wait: from here on it goes alone, or with
 * others that wait. */
static void split_off(struct engine *engine, struct spool_mail *mail, struct mail_member *member)
{
	struct contact_verdict *at = &member->verdict;
	struct reported_event reported = {
	        .event = &member->event, .customer = member->customer, .again = true};
	engine_ask_limit(engine, mail, 0, false, at);
	if (!instant_before(at->due, at->expires)) {
		at->status = STATUS_EXPIRED;
		at->reason = REASON_EXPIRED;
		engine_notice_set_verdict(engine, mail, member->notice, at);
		return;
	}
	engine_notice_leave(engine, mail, member->notice);
	engine_create_mail(engine, &reported, at);
}

/*
 * Judges the members. Returns the one whose address and zone the mail takes, NULL where the mail
 * doesn't go now.
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
			waits = waits && !instant_before(m->verdict.due, waits->verdict.due) ? waits
			                                                                     : m;
		else
			engine_notice_set_verdict(engine, mail, m->notice, &m->verdict);
	}
	if (goes == NULL && waits != NULL)
		engine_mail_wait(engine, mail, &waits->verdict, true);
	for (size_t i = 0; goes != NULL && waits != NULL && i < n; i++) {
		if (members[i].verdict.status == STATUS_DEFERRED)
			split_off(engine, mail, &members[i]);
	}
	return goes;
}

/* A mail on its way: what is read of it is read once. */
struct dispatch {
	struct spool_mail mail;
	const struct spool_event **events; /* that go in it, and */
	struct spool_notice *notices;      /* the notice of each */
	size_t n;
	bool part;           /* others are in it, whose events are gone from the spool */
	const char *context; /* recorded by an earlier try, or with the office's mail; NULL: none */
	json_t *record;      /* the same, parsed */
	struct contact_choice answered; /* whom an answer to a wish for fewer mails is to */
};

/* A mail that was tried repeats its content; the office's was written when it was made. A relay's
 * reply proves an earlier try, also in spools where a manual retry reset the count to 0. */
static void read_record(struct engine *engine, struct dispatch *d)
{
	const struct spool_mail *mail = &d->mail;
	if (mail->attempts > 0 || *mail->reply || mail->contact == MAIL_OFFICE)
		d->context = spool_mail_context(engine->spool, mail->id, engine->arena);
	if (d->context != NULL)
		d->record = json_loads(d->context, 0, NULL);
}

static void name_jobs(struct outgoing_mail *outgoing, const struct dispatch *d)
{
	const char **jobs = arena_new_array(outgoing->arena, d->n, const char *);
	for (size_t i = 0; i < d->n; i++)
		jobs[outgoing->n_jobs++] = arena_strdup(outgoing->arena, d->events[i]->event.job);
	outgoing->jobs = jobs;
}

static struct outgoing_mail *write_outgoing(struct engine *engine, const struct dispatch *d,
                                            const struct contact *contact,
                                            const struct customer *customer, const char *context)
{
	struct outgoing_mail *outgoing = outgoing_mail_new();
	struct arena *arena = outgoing->arena;
	const struct spool_mail *mail = &d->mail;
	outgoing->mail = mail->id;
	outgoing->to = arena_strdup(arena, mail->address);
	engine_redirect_outgoing(mail, outgoing);
	if (contact != NULL && mail->contact != MAIL_OFFICE) {
		outgoing->contact = contact->id;
		outgoing->link = arena_strdup(arena, contact->link);
	}
	outgoing->to_name = arena_strdup(arena, contact ? contact->name : "");
	outgoing->template = arena_strdup(arena, mail->state);
	outgoing->locale = arena_strdup(arena, contact && *contact->locale ? contact->locale
	                                       : customer ? customer_locale(customer)
	                                                  : "");
	outgoing->timezone = arena_strdup(
	        arena, zone_name(rules_zone(engine->settings, engine->zones, customer)));
	outgoing->message_id = arena_strdup(arena, mail->message_id);
	outgoing->thread_id = arena_strdup(arena, mail->thread_id);
	outgoing->made = mail->made;
	outgoing->due = mail->due;
	outgoing->context = arena_strdup(arena, context);
	if (d->n > 0)
		name_jobs(outgoing, d);
	else
		outgoing_mail_read_jobs(outgoing, d->record);
	return outgoing;
}

static bool is_forward(const struct spool_mail *mail)
{
	return mail->contact == MAIL_OFFICE && strcmp(mail->state, FORWARD_STATE) == 0;
}

/* A person's reply: of its context, and as it came. */
static void add_forward(struct engine *engine, const struct dispatch *d,
                        struct outgoing_mail *outgoing)
{
	struct arena *arena = outgoing->arena;
	struct outgoing_forward *forward = arena_alloc(arena, sizeof *forward);
	forward->reply_to = arena_strdup(arena, jsontext_at(d->record, "reply_to"));
	forward->job = arena_strdup(arena, jsontext_at(d->record, "job"));
	forward->subject = arena_strdup(arena, jsontext_at(d->record, "subject"));
	forward->entity = spool_reply_entity(engine->spool, d->mail.id, arena, &forward->len);
	outgoing->forward = forward;
}

/* It is sending: to the mailers with it, once the turn is on disk, and what its result will need is
 * kept. */
static void dispatch_outgoing(struct engine *engine, const struct dispatch *d,
                              struct outgoing_mail *outgoing)
{
	struct turn_output *out = engine->out;
	if (!d->part)
		in_flight_note(engine->in_flight, &d->mail, d->notices, d->events, d->n);
	out->outgoing[out->n_outgoing++] = outgoing;
	out->outgoing_bytes += outgoing_mail_bytes(outgoing);
}

static void send(struct engine *engine, struct dispatch *d, const struct contact *contact,
                 const struct customer *customer)
{
	const char *context = d->context;
	engine_redirect(engine, &d->mail);
	if (context == NULL) {
		context = engine_context(engine, &d->mail, d->events, d->n);
		spool_mail_set_context(engine->spool, d->mail.id, context, NULL);
	}
	struct outgoing_mail *outgoing = write_outgoing(engine, d, contact, customer, context);
	if (d->context != NULL)
		outgoing_mail_read(outgoing, d->record);
	if (is_forward(&d->mail))
		add_forward(engine, d, outgoing);
	if (engine_is_answer(&d->mail)) {
		outgoing->contact = d->answered.contact;
		outgoing->link = arena_strdup(outgoing->arena, d->answered.link);
	}
	engine_mail_move(engine, &d->mail, STATUS_SENDING, REASON_OK);
	d->mail.open = false; /* as the setter has it */
	dispatch_outgoing(engine, d, outgoing);
}

static void add_event(struct dispatch *d, const struct spool_event *event,
                      const struct spool_notice *notice)
{
	d->events[d->n] = event;
	d->notices[d->n++] = *notice;
}

static void load_events(struct engine *engine, const struct spool_notice *notices, size_t n,
                        struct dispatch *d)
{
	struct spool_event *events = arena_new_array(engine->arena, n, struct spool_event);
	for (size_t i = 0; i < n; i++) {
		if (spool_event_load(engine->spool, notices[i].event, engine->arena, &events[i]))
			add_event(d, &events[i], &notices[i]);
		else
			d->part = true;
	}
}

/* By whose zone and locale the office's mail is written. */
static const struct customer *customer_of(struct engine *engine, const struct dispatch *d)
{
	const char *number = d->n > 0 ? d->events[0]->event.customer
	                              : json_string_value(json_object_get(
	                                        json_object_get(d->record, "customer"), "number"));
	return number != NULL ? engine_customer(engine, number) : NULL;
}

/* The office's mails are not judged: the office has to know. */
static void dispatch_office(struct engine *engine, struct dispatch *d,
                            const struct spool_notice *notices, size_t n)
{
	bool answers = engine_is_answer(&d->mail);
	if (!is_forward(&d->mail) && !answers)
		d->mail.address = engine->settings->office.email;
	load_events(engine, notices, n, d);
	read_record(engine, d);
	bool gone = answers && !engine_answer_choice(engine, &d->mail, &d->answered);
	if (gone || !*d->mail.address || (n > 0 ? d->n == 0 : d->context == NULL))
		engine_mail_set_status(engine, &d->mail, STATUS_SUPPRESSED, REASON_NO_ADDRESS);
	else
		send(engine, d, NULL, customer_of(engine, d));
}

static void dispatch_to_contact(struct engine *engine, struct dispatch *d,
                                const struct spool_notice *notices, size_t n)
{
	struct mail_member *members = arena_new_array(engine->arena, n, struct mail_member);
	for (size_t i = 0; i < n; i++)
		members[i].notice = &notices[i];
	const struct mail_member *first = judge_members(engine, &d->mail, members, n);
	if (first == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		d->part |= members[i].customer == NULL; /* not judged: its event is gone */
		if (members[i].verdict.status == STATUS_QUEUED)
			add_event(d, &members[i].event, &notices[i]);
	}
	d->mail.address = first->verdict.to;
	read_record(engine, d);
	send(engine, d, first->verdict.contact, first->customer);
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
	struct dispatch d = {0};
	size_t n;
	if (!spool_mail_load(engine->spool, id, engine->arena, &d.mail))
		return;
	struct spool_notice *notices = spool_notices(engine->spool, id, engine->arena, &n);
	d.events = arena_new_array(engine->arena, n, const struct spool_event *);
	d.notices = arena_new_array(engine->arena, n, struct spool_notice);
	if ((n == 0 && d.mail.contact != MAIL_OFFICE) || blocked(engine, notices, n))
		return;
	if (engine->now.ms - d.mail.made.ms >= engine->settings->mail.max_age_ms)
		engine_mail_set_status(engine, &d.mail, STATUS_FAILED, REASON_MAX_AGE);
	else if (d.mail.contact == MAIL_OFFICE)
		dispatch_office(engine, &d, notices, n);
	else
		dispatch_to_contact(engine, &d, notices, n);
	json_decref(d.record);
}

static bool has_room(struct engine *engine)
{
	const struct turn_input *in = engine->in;
	const struct turn_output *out = engine->out;
	if (out->n_outgoing == 0)
		return in->room > 0;
	return out->n_outgoing < in->room &&
	       (in->room_bytes == 0 || out->outgoing_bytes < in->room_bytes) &&
	       !engine_turn_is_full(engine);
}

/* A new mail, from what is in hand. */
static void send_new(struct engine *engine, struct new_mail *mail)
{
	const struct spool_event *event = &mail->event;
	struct spool_notice notice = engine_new_mail_notice(mail);
	struct dispatch d = {
	        .events = &event, .notices = &notice, .n = 1, .context = mail->context};
	if (mail->contact == NULL) {
		mail->mail.address = engine->settings->office.email;
		d.record = json_loads(mail->context, 0, NULL);
	} else {
		mail->context = engine_context_new(engine, mail);
	}
	engine_redirect(engine, &mail->mail);
	engine_mail_dispatch_new(engine, mail);
	d.mail = mail->mail;
	struct outgoing_mail *outgoing =
	        write_outgoing(engine, &d, mail->contact, mail->customer, mail->context);
	if (d.record != NULL)
		outgoing_mail_read(outgoing, d.record);
	dispatch_outgoing(engine, &d, outgoing);
	json_decref(d.record);
}

static bool new_is_blocked(struct engine *engine, const struct new_mail *mail)
{
	struct spool_notice notice = engine_new_mail_notice(mail);
	return !mail->first && blocked(engine, &notice, 1);
}

/* New mails that are due before `other`, from behind those dispatched: they go, or are one of those
 * that wait. */
static void dispatch_new(struct engine *engine, struct spool_due other)
{
	struct new_mails *mails = &engine->new_mails;
	for (; mails->first != NULL; mails->first = mails->first->next) {
		struct new_mail *mail = mails->first;
		if (other.due.ms < mail->mail.due.ms ||
		    (other.due.ms == mail->mail.due.ms && other.id < mail->mail.id))
			return;
		if (mail->written)
			continue;
		if (has_room(engine) && !new_is_blocked(engine, mail))
			send_new(engine, mail);
		else
			engine_new_mail_write(engine, mail);
	}
}

/* Those that yield, or those that don't, and with these the new ones. */
static void dispatch_due(struct engine *engine, bool yielding)
{
	struct turn_output *out = engine->out;
	struct spool_due window[WINDOW], after = {.id = 0, .due = INSTANT_NONE};
	size_t read = 0;
	while (has_room(engine) && read < DISPATCH_READ_MAX && !spool_failed(engine->spool)) {
		size_t n = spool_mails_due(engine->spool, engine->now, after, window, WINDOW);
		for (size_t i = 0; i < n && has_room(engine); i++) {
			if (!yielding)
				dispatch_new(engine, window[i]);
			if (engine_yields(engine, window[i].id) == yielding && has_room(engine))
				dispatch(engine, window[i].id);
		}
		if (n < WINDOW) {
			dispatch_new(engine, (struct spool_due){.due = INSTANT_NEVER});
			return;
		}
		after = window[n - 1];
		read += n;
	}
	out->more |= read >= DISPATCH_READ_MAX && out->n_outgoing > 0;
}

void engine_dispatch_mails(struct engine *engine)
{
	struct turn_output *out = engine->out;
	if (!engine->paused) {
		out->outgoing =
		        arena_new_array(out->arena, engine->in->room, struct outgoing_mail *);
		dispatch_due(engine, false);
	}
	engine_new_mails_write_all(engine); /* for which there was no room */
	if (!engine->paused && engine->n_yielding > 0)
		dispatch_due(engine, true);
	bool full = !engine->paused && !has_room(engine);
	engine->left = full ? (size_t)spool_mail_count(engine->spool, STATUS_QUEUED) : 0;
}
