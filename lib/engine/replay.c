/* SPDX-License-Identifier: MIT */
/*
 * Then and now, contact by contact. What was decided then is in the first outcome of each contact;
 * what is decided now comes from the rules. A mail is compared by its contact, or by its address
 * where the other data calls the contact by another id.
 */
#include "engine/replay.h"

#include "db/fields.h"
#include "model/job.h"
#include "records/customers.h"
#include "rules/rules.h"
#include "spool/spool.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { BATCH = 500 };

/* A mail that was made then, or a decision that made none. */
struct then {
	int64_t contact;
	const char *to;
	enum status status;
	enum reason reason;
	struct instant due;
	int64_t late_ms; /* it was decided so long after the event's receipt */
	bool matched;
};

struct run {
	const struct replay *replay;
	struct replay_counts counts;
	struct spool *spool;
	struct customers *customers;
	struct arena *arena;     /* of the event that is judged */
	const struct zone *zone; /* of its customer */
	const struct customer *customer;
	const struct spool_event *event;
	struct verdict verdict;
	struct then *then;
	size_t n_then;
	struct error *err;
};

static bool is_mail(enum status status)
{
	return status == STATUS_QUEUED || status == STATUS_DEFERRED;
}

/* ---- Then ---- */

static bool known(const struct run *run, int64_t contact)
{
	for (size_t i = 0; i < run->n_then; i++)
		if (run->then[i].contact == contact)
			return true;
	return false;
}

static void take_outcome(struct run *run, const struct spool_outcome *outcome)
{
	struct entry_field *fields;
	size_t n;
	if (outcome->event != run->event->id ||
	    !fields_unpack(outcome->fields, outcome->fields_len, run->arena, &fields, &n))
		return;
	const char *contact = fields_find(fields, n, "contact"), *to = fields_find(fields, n, "to");
	const char *due = fields_find(fields, n, "due");
	if (contact == NULL || known(run, strtoll(contact, NULL, 10)))
		return; /* what became of a mail later is not a decision of the rules */
	struct then *then = &run->then[run->n_then++];
	*then = (struct then){.contact = strtoll(contact, NULL, 10),
	                      .to = to ? to : "",
	                      .status = outcome->status,
	                      .reason = outcome->reason,
	                      .due = INSTANT_NONE,
	                      .late_ms = outcome->time.ms - run->event->event.received.ms};
	if (due == NULL || !instant_parse(due, &then->due))
		then->due = INSTANT_NONE;
}

static void find_then(struct run *run)
{
	size_t n;
	struct spool_outcome *outcomes =
	        spool_job_outcomes(run->spool, run->event->job, run->arena, &n);
	run->then = arena_new_array(run->arena, n + 1, struct then);
	run->n_then = 0;
	for (size_t i = 0; i < n; i++)
		take_outcome(run, &outcomes[i]);
}

/* ---- Now ---- */

static bool judge(struct run *run)
{
	const struct job_event *event = &run->event->event;
	struct rules_case subject = {.settings = run->replay->rules,
	                             .zones = customers_zones(run->customers),
	                             .arena = run->arena,
	                             .now = event->received,
	                             .event = event,
	                             .trace_max = TRACE_WHOLE};
	if (!customers_load(run->customers, run->arena, event->customer, &subject.customer,
	                    run->err))
		return false;
	subject.marks = spool_marks_before(run->spool, run->event->job, run->event->id, run->arena,
	                                   &subject.n_marks);
	rules_judge(&subject, &run->verdict);
	run->customer = subject.customer;
	run->zone = rules_zone(subject.settings, subject.zones, subject.customer);
	return true;
}

/* What the deciding rule saw: the last that didn't hold, else the last that was evaluated. */
static const char *detail_of(const struct verdict *verdict, const struct contact *contact)
{
	const char *detail = "", *stopped = NULL;
	for (size_t i = 0; i < verdict->n_trace; i++) {
		const struct trace_row *row = &verdict->trace[i];
		if (row->contact != NULL && row->contact != contact)
			continue;
		detail = row->detail;
		stopped = row->holds ? stopped : row->detail;
	}
	return stopped ? stopped : detail;
}

/* ---- The difference ---- */

static json_t *decision(const struct run *run, enum status status, enum reason reason,
                        struct instant due)
{
	char text[INSTANT_TEXT_MAX];
	json_t *json = json_pack("{s:s, s:s}", "status", status_name(status), "reason",
	                         reason_name(reason));
	if (instant_is_none(due))
		json_object_set_new(json, "due", json_null());
	else
		json_object_set_new(
		        json, "due",
		        json_string(instant_format(due, zone_offset_s(run->zone, due), text)));
	return json;
}

/* What was decided of the event holds for all; where it was decided of others, this one didn't want
 * it. */
static json_t *then_json(const struct run *run, const struct then *then)
{
	if (then != NULL)
		return decision(run, then->status, then->reason, then->due);
	if (run->n_then > 0)
		return decision(run, STATUS_SUPPRESSED, REASON_NOT_WANTED, INSTANT_NONE);
	return decision(run, run->event->status, run->event->reason, INSTANT_NONE);
}

/* The same now, but the records still show who is there. */
static json_t *now_json(struct run *run, const struct then *then, const struct contact_verdict *now,
                        const char **ret_detail)
{
	const struct verdict *v = &run->verdict;
	*ret_detail = detail_of(v, now ? now->contact : NULL);
	if (now != NULL)
		return decision(run, now->status, now->reason, now->due);
	if (v->n_contacts == 0)
		return decision(run, v->status, v->reason, INSTANT_NONE);
	long long id = (long long)then->contact;
	const char *state = job_state_name(run->event->event.state);
	*ret_detail =
	        customer_contact(run->customer, then->contact) != NULL
	                ? arena_printf(run->arena, "contact %lld doesn't want %s mails", id, state)
	                : arena_printf(run->arena, "contact %lld is gone", id);
	return decision(run, STATUS_SUPPRESSED, REASON_NOT_WANTED, INSTANT_NONE);
}

/* `then` or `now` is NULL where the contact had, or has, no decision of its own. */
static bool report_change(struct run *run, const char *change, int64_t *count,
                          const struct then *then, const struct contact_verdict *now)
{
	const struct job_event *event = &run->event->event;
	char received[INSTANT_TEXT_MAX];
	const char *detail;
	json_t *after = now_json(run, then, now, &detail);
	json_t *json = json_pack(
	        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:o, s:o, s:s}", "change", change,
	        "event", event->id, "source", event->source, "type", event_type(event), "job",
	        event->job, "customer", event->customer, "received",
	        instant_format(event->received, zone_offset_s(run->zone, event->received),
	                       received),
	        "contact", (json_int_t)(now ? now->contact->id : then->contact), "to",
	        now != NULL && *now->to ? now->to
	        : then != NULL          ? then->to
	                                : "",
	        "before", then_json(run, then), "after", after, "detail", detail);
	++*count;
	bool ok = run->replay->changed == NULL ||
	          run->replay->changed(run->replay->arg, json, run->err);
	json_decref(json);
	return ok;
}

static struct then *counterpart(struct run *run, const struct contact_verdict *now)
{
	for (size_t i = 0; i < run->n_then; i++)
		if (run->then[i].contact == now->contact->id)
			return &run->then[i];
	for (size_t i = 0; i < run->n_then; i++)
		if (*now->to && strcmp(run->then[i].to, now->to) == 0)
			return &run->then[i];
	return NULL;
}

static int64_t group_wait(const struct settings *settings, const struct run *run)
{
	return settings->notify[run->event->event.state].group_wait_ms;
}

/* One that joins a group is due when that is: at some time of the wait at whose end it would be due
 * alone. That wait began when it was decided, not with the receipt that is given here. */
static bool within_wait(const struct run *run, const struct then *then,
                        const struct contact_verdict *now)
{
	int64_t wait_ms = group_wait(run->replay->rules, run);
	return now->grouped && wait_ms == group_wait(run->replay->ours, run) &&
	       then->due.ms <= now->due.ms + then->late_ms && now->due.ms - then->due.ms <= wait_ms;
}

/* Mails that are due at once are due alike, whatever the millisecond. */
static bool moved(const struct run *run, const struct then *then, const struct contact_verdict *now)
{
	if (then->status != now->status)
		return true;
	return now->status != STATUS_QUEUED && then->due.ms != now->due.ms &&
	       !within_wait(run, then, now);
}

static bool compare(struct run *run, struct then *then, const struct contact_verdict *now)
{
	bool had = then != NULL && is_mail(then->status), has = now != NULL && is_mail(now->status);
	if (had && !has)
		return report_change(run, "gone", &run->counts.gone, then, now);
	if (has && !had)
		return report_change(run, "added", &run->counts.added, then, now);
	if (has && moved(run, then, now))
		return report_change(run, "moved", &run->counts.moved, then, now);
	run->counts.same += has;
	return true;
}

static bool judge_one(struct run *run, const struct spool_event *event)
{
	run->event = event;
	run->counts.events++;
	find_then(run);
	if (!judge(run))
		return false;
	for (size_t i = 0; i < run->verdict.n_contacts; i++) {
		struct then *then = counterpart(run, &run->verdict.contacts[i]);
		if (then != NULL)
			then->matched = true;
		if (!compare(run, then, &run->verdict.contacts[i]))
			return false;
	}
	for (size_t i = 0; i < run->n_then; i++)
		if (!run->then[i].matched && !compare(run, &run->then[i], NULL))
			return false;
	return true;
}

static bool judge_all(struct run *run)
{
	struct arena *batch = arena_new();
	int64_t after = 0;
	bool ok = true;
	for (size_t n = BATCH; ok && n == BATCH;) {
		struct spool_event *events =
		        spool_events_between(run->spool, run->replay->since, run->replay->until,
		                             after, BATCH, batch, &n);
		for (size_t i = 0; ok && i < n; i++) {
			after = events[i].id;
			ok = judge_one(run, &events[i]);
			arena_reset(run->arena);
		}
		arena_reset(batch);
	}
	arena_free(batch);
	return ok;
}

bool replay_run(const struct replay *replay, struct replay_counts *ret, struct error *err)
{
	struct run run = {.replay = replay, .err = err};
	run.spool = spool_open(replay->spool, DB_READ, err);
	run.customers = run.spool ? customers_open(replay->customers, DB_READ, err) : NULL;
	bool ok = run.customers != NULL;
	if (ok) {
		run.arena = arena_new();
		ok = customers_begin_read(run.customers, err) && spool_begin_read(run.spool, err) &&
		     judge_all(&run);
		spool_end_read(run.spool);
		if (ok && spool_failed(run.spool))
			ok = error_set(err, EX_IOERR, "can't read %s", replay->spool);
		customers_end_read(run.customers);
		arena_free(run.arena);
	}
	customers_close(run.customers);
	spool_close(run.spool);
	if (ok)
		*ret = run.counts;
	return ok;
}
