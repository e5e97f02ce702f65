/* SPDX-License-Identifier: MIT */
/*
 * Entries become events, events become decisions: rules 1 to 12 for the first time, recorded in the
 * turn's transaction with all that follows from them.
 */
#include "engine/engine_private.h"

#include "engine/trace.h"

#include <string.h>
#include <syslog.h>

enum {
	WAITS_A_TURN = 1000,
	WAIT_BYTES_A_TURN = 2 << 20,
	TRACE_ROWS = 64 /* on record; explain writes more */
};

void engine_take_duplicate(struct engine *engine, const struct job_event *event,
                           const unsigned char recorded[EVENT_DIGEST_SIZE])
{
	unsigned char digest[EVENT_DIGEST_SIZE];
	event_digest(event, digest);
	engine->stats.duplicates++;
	if (memcmp(digest, recorded, sizeof digest) == 0)
		return;
	engine->stats.duplicates_differing++;
	engine_report_often(engine, REPORT_DIFFERING, LOG_WARNING,
	                    "duplicate with other content source=%s id=%s: the first one counts",
	                    event->source, event->id);
}

static void record_outcomes(struct engine *engine, const struct spool_event *event,
                            const struct verdict *verdict)
{
	if (verdict->n_contacts == 0) {
		struct outcome_facts facts = {.suspension = verdict->suspension, .due = INSTANT_NONE};
		engine_outcome(engine, event, verdict->status, verdict->reason, &facts);
	}
	for (size_t i = 0; i < verdict->n_contacts; i++) {
		const struct contact_verdict *at = &verdict->contacts[i];
		struct outcome_facts facts = {.contact = at->contact->id, .to = at->to, .due = INSTANT_NONE};
		if (at->status == STATUS_QUEUED || at->status == STATUS_DEFERRED)
			engine_make_mail(engine, event, at);
		else
			engine_outcome(engine, event, at->status, at->reason, &facts);
	}
}

void engine_decide(struct engine *engine, const struct job_event *event, const struct customer *customer)
{
	struct spool_event record = {.event = *event,
	                             .job = spool_job(engine->spool, event->customer, event->job)};
	struct rules_case asked = {
	        .settings = engine->settings,
	        .zones = engine->zones,
	        .arena = engine->arena,
	        .now = engine->now,
	        .event = event,
	        .customer = customer,
	        .trace_max = TRACE_ROWS,
	};
	struct verdict verdict;
	asked.marks = spool_marks(engine->spool, record.job, engine->arena, &asked.n_marks);
	rules_judge(&asked, &verdict);
	record.status = verdict.status;
	record.reason = verdict.reason;
	record.id = spool_event_add(engine->spool, event, record.job, verdict.status, verdict.reason,
	                            trace_json(&verdict, engine->arena));
	spool_job_set_state(engine->spool, record.job, verdict.after);
	if (event->state != JOB_DISPATCHED)
		spool_unwatch_job(engine->spool, record.job); /* it has started, or never will */
	if (verdict.takes_state)
		engine_supersede(engine, &record, &verdict);
	if (verdict.collision != NULL && spool_collision_first(engine->spool, record.job, event->state))
		engine_make_office_mail(engine, &record, verdict.collision);
	record_outcomes(engine, &record, &verdict);
}

bool engine_may_come(const struct engine *engine, struct instant until)
{
	return instant_before(engine->now, until) || !instant_before(until, engine->feed_oldest);
}

/* Those that may still come are looked at when the feed is through: that is a turn by itself. */
struct instant engine_next_wait(struct engine *engine)
{
	struct instant next = spool_next_wait(engine->spool);
	return engine_may_come(engine, next) && !instant_before(engine->now, next) ? INSTANT_NEVER : next;
}

void engine_wait_for_customer(struct engine *engine, const struct entry *entry, const struct job_event *event,
                              struct instant until)
{
	struct spool_waiting first;
	struct job_event said;
	unsigned char digest[EVENT_DIGEST_SIZE];
	if (spool_wait_add(engine->spool, entry, event, until) ||
	    !spool_wait_find(engine->spool, entry, event, engine->arena, &first) ||
	    !event_read(&first.entry, SIZE_MAX / 4, engine->arena, &said, NULL))
		return;
	event_digest(&said, digest);
	engine_take_duplicate(engine, event, digest);
}

const struct job_event *engine_event_of(struct engine *engine, const struct job_event *event,
                                        const struct customer *customer)
{
	if (strcmp(event->customer, customer->number) == 0)
		return event;
	struct job_event *copy = arena_alloc(engine->arena, sizeof *copy);
	*copy = *event;
	copy->named = event->customer;
	copy->customer = customer->number;
	return copy;
}

/* `until`: how long it may wait for its customer. */
static void take_event(struct engine *engine, const struct entry *entry, const struct job_event *event,
                       struct instant until)
{
	unsigned char digest[EVENT_DIGEST_SIZE] = {0};
	if (spool_event_find(engine->spool, event->source, event->id, digest) != 0) {
		engine_take_duplicate(engine, event, digest);
		return;
	}
	const struct customer *customer = engine_customer(engine, event->customer);
	if (customer != NULL)
		engine_decide(engine, engine_event_of(engine, event, customer), customer);
	else if (engine_may_come(engine, until))
		engine_wait_for_customer(engine, entry, event, until);
	else
		engine_dead_letter(engine, entry, REASON_UNKNOWN_CUSTOMER,
		                   arena_printf(engine->arena, "there is no customer %s", event->customer));
}

void engine_take_entry(struct engine *engine, const struct entry *entry)
{
	struct job_event event;
	struct error err = {0};
	if (entry->feed == FEED_CUSTOMERS) {
		engine_take_customer(engine, entry);
		return;
	}
	if (entry->unread) {
		engine->stats.events[EVENT_TYPES - 1]++;
		engine_refuse_unread(engine, entry);
		return;
	}
	size_t max = (size_t)engine->settings->redis.max_event_size;
	struct instant until = instant_add(entry->received, engine->settings->customers.grace_ms);
	if (!event_read(entry, max, engine->arena, &event, &err)) {
		engine->stats.events[EVENT_TYPES - 1]++;
		engine_dead_letter(engine, entry, REASON_MALFORMED, err.text);
		return;
	}
	if (event.time_ahead)
		engine_report_often(engine, REPORT_AHEAD, LOG_NOTICE,
		                    "time ahead source=%s id=%s: counts as receipt", event.source, event.id);
	engine->stats
	        .events[event.kind == EVENT_JOB ? (int)event.state : JOB_STATE_COUNT + (int)event.kind - 1]++;
	if (event.kind == EVENT_JOB)
		take_event(engine, entry, &event, until);
	else
		engine_take_request(engine, entry, &event, until);
}

void engine_take_entries(struct engine *engine)
{
	for (size_t i = 0; i < engine->turn->n_entries && !spool_failed(engine->spool); i++) {
		if (engine->turn->entries[i]->feed != FEED_CUSTOMERS)
			engine_take_entry(engine, engine->turn->entries[i]);
	}
}

static void take_waiting(struct engine *engine, const struct spool_waiting *waiting)
{
	struct job_event event = {.kind = EVENT_JOB};
	struct error err = {0};
	if (engine_may_come(engine, waiting->until) && engine_customer(engine, waiting->customer) == NULL)
		return;
	spool_wait_remove(engine->spool, waiting->id);
	if (event_read(&waiting->entry, SIZE_MAX / 4, engine->arena, &event, &err) && event.kind == EVENT_JOB)
		take_event(engine, &waiting->entry, &event, waiting->until);
	else if (event.kind != EVENT_JOB)
		engine_take_request(engine, &waiting->entry, &event, waiting->until);
	else
		engine_dead_letter(engine, &waiting->entry, REASON_MALFORMED, err.text);
}

/* Those whose grace is over, unless their customer may be on its way; all of them when customers have
 * changed. */
void engine_take_waiting(struct engine *engine)
{
	struct scan *scan = &engine->scans.waiting;
	int64_t ids[WAITS_A_TURN];
	size_t n;
	bool cut;
	if (spool_wait_count(engine->spool) == 0) {
		*scan = (struct scan){0};
		return;
	}
	struct instant until = engine_scan_begin(engine, scan);
	if (!scan->all)
		until = instant_min(until, instant_add(engine->feed_oldest, -1));
	struct spool_waiting *waits = spool_waits(engine->spool, until, scan->after, engine->arena,
	                                          WAITS_A_TURN, WAIT_BYTES_A_TURN, &n, &cut);
	for (size_t i = 0; i < n; i++) {
		ids[i] = waits[i].id;
		take_waiting(engine, &waits[i]);
	}
	engine_scan_end(engine, scan, ids, n, cut ? n : WAITS_A_TURN);
}
