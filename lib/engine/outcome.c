/* SPDX-License-Identifier: MIT */
/* What is reported to the outside: outcomes (contract, section 3) and dead letters (section 2). */
#include "engine/outcome.h"

#include "base/format.h"
#include "db/fields.h"
#include "engine/engine_private.h"
#include "engine/report.h"

#include <sodium.h>
#include <string.h>
#include <syslog.h>

static void add_instant(struct buf *pack, const char *name, struct instant t)
{
	char text[INSTANT_TEXT_MAX];
	if (!instant_is_none(t))
		fields_add(pack, name, instant_format(t, 0, text));
}

static void add_int(struct buf *pack, const char *name, int64_t value)
{
	char text[INTEGER_TEXT_MAX];
	fields_add(pack, name, format_integer(value, text));
}

static void add_text(struct buf *pack, const char *name, const char *value)
{
	if (value != NULL && *value)
		fields_add(pack, name, value);
}

static void add_suspension(struct buf *pack, const struct suspension *suspension)
{
	char day[DAY_TEXT_MAX];
	add_text(pack, "note", suspension->note);
	add_text(pack, "until", day_format(suspension->until, day));
}

static void add_mail(struct buf *pack, const struct spool_mail *mail)
{
	add_int(pack, "mail", mail->id);
	if (mail->attempts > 0)
		add_int(pack, "attempts", mail->attempts);
}

static void add_facts(struct buf *pack, const struct outcome_facts *facts)
{
	if (facts == NULL)
		return;
	if (facts->contact != 0)
		add_int(pack, "contact", facts->contact);
	add_text(pack, "to", facts->to);
	if (facts->mail != NULL)
		add_mail(pack, facts->mail);
	add_instant(pack, "due", facts->due);
	add_text(pack, "reply", facts->reply);
	add_text(pack, "note", facts->note);
	if (facts->suspension != NULL)
		add_suspension(pack, facts->suspension);
	add_text(pack, "outside_hours", facts->outside_hours ? "true" : NULL);
}

static void store(struct engine *engine, struct spool_outcome *outcome, struct buf *pack)
{
	outcome->time = engine->now;
	outcome->fields = buf_text(pack);
	outcome->fields_len = pack->len;
	spool_outcome_add(engine->spool, outcome);
	buf_free(pack);
	engine->stats.outcomes[outcome->status][outcome->reason]++;
}

/* Of what is not an event on record: a request, a recalled job. */
static void add_head(struct engine *engine, const struct job_event *event, enum status status,
                     enum reason reason, struct buf *pack)
{
	add_instant(pack, "time", engine->now);
	fields_add(pack, "event", event->id);
	fields_add(pack, "source", event->source);
	fields_add(pack, "job", event->job);
	fields_add(pack, "customer", event->customer);
	fields_add(pack, "type", event_type(event));
	fields_add(pack, "status", status_name(status));
	fields_add(pack, "reason", reason_name(reason));
}

int64_t engine_outcome(struct engine *engine, const struct spool_event *event, enum status status,
                       enum reason reason, const struct outcome_facts *facts)
{
	struct buf pack = {0};
	bool on_record = event->id != 0 && event->event.kind == EVENT_JOB;
	if (!on_record)
		add_head(engine, &event->event, status, reason, &pack);
	add_facts(&pack, facts);
	struct spool_outcome outcome = {
	        .outbox = OUTBOX_OUTCOMES,
	        .event = event->id,
	        .job = event->job,
	        .mail = facts && facts->mail ? facts->mail->id : 0,
	        .status = status,
	        .reason = reason,
	        .of = on_record ? event : NULL,
	};
	store(engine, &outcome, &pack);
	return outcome.seq;
}

static void rejected_outcome(struct engine *engine, const struct entry *entry, enum reason reason)
{
	struct event_sketch sketch;
	struct buf pack = {0};
	event_sketch(entry, engine->arena, &sketch);
	add_instant(&pack, "time", engine->now);
	fields_add(&pack, "event", sketch.id);
	fields_add(&pack, "source", sketch.source);
	fields_add(&pack, "job", sketch.job);
	fields_add(&pack, "customer", sketch.customer);
	fields_add(&pack, "type", sketch.type);
	fields_add(&pack, "status", status_name(STATUS_REJECTED));
	fields_add(&pack, "reason", reason_name(reason));
	store(engine,
	      &(struct spool_outcome){
	              .outbox = OUTBOX_OUTCOMES, .status = STATUS_REJECTED, .reason = reason},
	      &pack);
}

const char *entry_feed_name(enum entry_feed feed)
{
	static const char *const names[] = {[FEED_EVENTS] = "events",
	                                    [FEED_REQUESTS] = "requests",
	                                    [FEED_CUSTOMERS] = "customers"};
	return names[feed];
}

enum { ENTRY_NAME_BYTES = 16 };

/* A list's item has no id of its own: a digest of its content replaces it. */
static const char *entry_name(const struct engine *engine, const struct entry *entry,
                              const struct buf *pack)
{
	unsigned char digest[ENTRY_NAME_BYTES];
	char *name = arena_alloc(engine->arena, 2 * sizeof digest + 1);
	if (*entry->id)
		return entry->id;
	(void)crypto_generichash(digest, sizeof digest, (const unsigned char *)pack->data,
	                         pack->len, NULL, 0);
	return sodium_bin2hex(name, 2 * sizeof digest + 1, digest, sizeof digest);
}

/* Whether this is not a second dead letter, but one that was read before and not acknowledged. Two
 * items of a list may well be equal, so that only those count which another process has left. */
static bool is_known(const struct engine *engine, const struct entry *entry,
                     const struct spool_outcome *dead)
{
	if (*entry->id)
		return spool_dead_known(engine->spool, dead, INT64_MAX);
	return entry->left && spool_dead_known(engine->spool, dead, engine->opened);
}

static bool dead_add(struct engine *engine, const struct entry *entry, enum reason reason,
                     const struct buf *pack)
{
	struct spool_outcome dead = {
	        .outbox = OUTBOX_DEAD,
	        .key = entry_feed_name(entry->feed),
	        .entry = entry_name(engine, entry, pack),
	        .time = engine->now,
	        .reason = reason,
	        .fields = buf_text(pack),
	        .fields_len = pack->len,
	};
	if (is_known(engine, entry, &dead))
		return false;
	spool_outcome_add(engine->spool, &dead);
	return true;
}

void engine_dead_letter(struct engine *engine, const struct entry *entry, enum reason reason,
                        const char *detail)
{
	struct buf pack = {0};
	for (size_t i = 0; i < entry->n_fields; i++)
		fields_add_bytes(&pack, &entry->fields[i]);
	fields_add(&pack, "dead_reason", reason_name(reason));
	fields_add(&pack, "dead_detail", detail);
	fields_add(&pack, "dead_entry", entry->id);
	bool added = dead_add(engine, entry, reason, &pack);
	buf_free(&pack);
	if (!added)
		return;
	if (entry->feed != FEED_CUSTOMERS)
		rejected_outcome(engine, entry, reason);
	engine_report_often(engine, REPORT_DEAD, LOG_WARNING | MESSAGE_DEAD_LETTER,
	                    "dead letter entry=%s reason=%s: %s", *entry->id ? entry->id : "-",
	                    reason_name(reason), detail);
}

void engine_refuse_unread(struct engine *engine, const struct entry *entry)
{
	engine_dead_letter(
	        engine, entry, REASON_MALFORMED,
	        "the entry is too large to be read from Redis; its fields are left where they are");
}
