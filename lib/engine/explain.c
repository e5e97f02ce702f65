/* SPDX-License-Identifier: MIT */
/*
 * Runs the very rules that the daemon runs. Customers are kept for the whole batch, since a batch
 * asks about the same ones over and over; what one answer needs besides lives in an arena that is
 * emptied after it.
 */
#include "engine/explain.h"

#include "base/jsontext.h"
#include "engine/known.h"
#include "engine/limits.h"
#include "engine/trace.h"
#include "records/customers.h"
#include "spool/spool.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct explain {
	const struct settings *settings;
	struct customers *customers;
	struct spool *spool;
	struct zones *zones;
	struct arena *arena; /* of one answer */
	struct arena *kept;  /* customers */
	GHashTable *known;   /* number → struct customer *, or &nobody */
};

enum { KEPT_MAX = 20000 }; /* customers; then they are dropped and loaded again */

static const struct customer nobody;

struct explain *explain_open(const struct settings *settings, struct error *err)
{
	struct explain *e = mem_alloc(sizeof *e);
	e->settings = settings;
	e->zones = zones_new();
	e->arena = arena_new();
	e->kept = arena_new();
	e->known = g_hash_table_new(g_str_hash, g_str_equal);
	e->customers = known_open(settings->customers.path, settings->spool.path, DB_READ, err);
	if (e->customers == NULL)
		return explain_close(e);
	e->spool = spool_open(settings->spool.path, DB_READ, err);
	if (e->spool == NULL || !customers_begin_read(e->customers, err) ||
	    !spool_begin_read(e->spool, err))
		return explain_close(e);
	return e;
}

struct explain *explain_close(struct explain *e)
{
	if (e == NULL)
		return NULL;
	spool_close(e->spool);
	customers_close(e->customers);
	zones_free(e->zones);
	g_hash_table_destroy(e->known);
	arena_free(e->arena);
	arena_free(e->kept);
	free(e);
	return NULL;
}

static bool find_customer(struct explain *e, const char *number, const struct customer **ret,
                          struct error *err)
{
	const struct customer *customer = g_hash_table_lookup(e->known, number);
	if (customer == NULL) {
		if (g_hash_table_size(e->known) >= KEPT_MAX) {
			g_hash_table_remove_all(e->known);
			arena_reset(e->kept);
		}
		if (!customers_load(e->customers, e->kept, number, &customer, err))
			return false;
		customer = customer ? customer : &nobody;
		g_hash_table_insert(e->known, arena_strdup(e->kept, number),
		                    (void *)(uintptr_t)customer);
	}
	*ret = customer == &nobody ? NULL : customer;
	return true;
}

/* ---- The answer as JSON ---- */

static void add_time(struct buf *out, const char *name, struct instant t, const struct zone *zone)
{
	char text[INSTANT_TEXT_MAX];
	buf_addc(out, '"');
	buf_adds(out, name);
	if (instant_is_none(t)) {
		buf_adds(out, "\":null");
		return;
	}
	buf_adds(out, "\":\"");
	buf_adds(out, instant_format(t, zone_offset_s(zone, t), text));
	buf_addc(out, '"');
}

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_adds(out, ",\"");
	buf_adds(out, name);
	buf_adds(out, "\":");
	json_quote(out, text);
}

static void add_head(struct buf *out, enum status status, enum reason reason)
{
	buf_printf(out, "{\"status\":\"%s\",\"reason\":\"%s\",", status_name(status),
	           reason_name(reason));
}

/* The address that would be used; where none can be, the one on record. */
static const char *address_shown(const struct contact_verdict *at)
{
	if (*at->to)
		return at->to;
	return *at->contact->email ? at->contact->email : at->contact->alt_email;
}

static void add_contacts(struct buf *out, const struct verdict *v, const struct zone *zone)
{
	buf_adds(out, ",\"contacts\":[");
	for (size_t i = 0; i < v->n_contacts; i++) {
		const struct contact_verdict *at = &v->contacts[i];
		buf_printf(out, "%s{\"id\":%lld", i ? "," : "", (long long)at->contact->id);
		add_text(out, "email", address_shown(at));
		buf_printf(out, ",\"status\":\"%s\",\"reason\":\"%s\",", status_name(at->status),
		           reason_name(at->reason));
		add_time(out, "due", at->due, zone);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

/* ["jobs","routes"], as everywhere else in JSON. */
static void add_scopes(struct buf *out, unsigned scopes)
{
	char text[WORDS_TEXT_MAX];
	buf_adds(out, ",\"scopes\":[\"");
	for (const char *p = scopes_format(scopes, text); *p != '\0'; p++) {
		if (*p == ',')
			buf_adds(out, "\",\"");
		else
			buf_addc(out, *p);
	}
	buf_adds(out, "\"]");
}

static void add_suspension(struct buf *out, const char *name, const struct suspension *s)
{
	char day[DAY_TEXT_MAX];
	buf_printf(out, ",\"%s\":", name);
	if (s == NULL) {
		buf_adds(out, "null");
		return;
	}
	buf_printf(out, "{\"id\":%lld", (long long)s->id);
	add_text(out, "customer", s->customer);
	add_scopes(out, s->scopes);
	add_text(out, "from", day_format(s->from, day));
	if (day_is_none(s->until))
		buf_adds(out, ",\"until\":null");
	else
		add_text(out, "until", day_format(s->until, day));
	add_text(out, "note", s->note);
	add_text(out, "author", s->author);
	buf_addc(out, '}');
}

static void verdict_json(const struct rules_case *subject, const struct verdict *v, struct buf *out)
{
	const struct zone *zone = rules_zone(subject->settings, subject->zones, subject->customer);
	add_head(out, v->status, v->reason);
	add_time(out, "due", v->due, zone);
	add_contacts(out, v, zone);
	buf_printf(out, ",\"job_state\":\"%s\"", job_state_name(v->after));
	add_suspension(out, "suspension", v->suspension);
	if (v->collision != NULL)
		add_suspension(out, "collision", v->collision);
	if (subject->recorded)
		buf_adds(out, ",\"recorded\":true");
	buf_adds(out, ",\"trace\":");
	trace_print(v->trace, v->n_trace, out);
	buf_addc(out, '}');
}

static void malformed(const struct error *why, struct buf *out)
{
	add_head(out, STATUS_REJECTED, REASON_MALFORMED);
	buf_printf(out,
	           "\"due\":null,\"contacts\":[],\"job_state\":null,\"suspension\":null,\"trace\":["
	           "{\"rule\":%d,\"name\":\"%s\",\"holds\":false,\"detail\":",
	           RULE_WELL_FORMED, rule_name(RULE_WELL_FORMED));
	json_quote(out, why->text);
	buf_adds(out, "}]}");
}

/* ---- Asking ---- */

/* The very event, its content included, has the time that it was recorded with. */
static int64_t find_recorded(struct explain *e, struct job_event *event)
{
	unsigned char recorded[EVENT_DIGEST_SIZE], digest[EVENT_DIGEST_SIZE];
	struct spool_event record;
	int64_t id = spool_event_find(e->spool, event->source, event->id, recorded);
	if (id == 0)
		return 0;
	event_digest(event, digest);
	if (memcmp(digest, recorded, sizeof digest) == 0 &&
	    spool_event_load(e->spool, id, e->arena, &record)) {
		event->time = record.event.time;
		event->time_ahead = false;
	}
	return id;
}

/* The job's other events; those that came before it, where the event is on record itself. */
static void find_marks(struct explain *e, struct rules_case *subject, int64_t id)
{
	const struct job_event *event = subject->event;
	int64_t job = spool_job_find(e->spool, event->customer, event->job);
	subject->recorded = id != 0;
	if (job != 0)
		subject->marks = spool_marks_before(e->spool, job, id ? id : INT64_MAX, e->arena,
		                                    &subject->n_marks);
}

static const struct rules_limits *limits_of(struct explain *e, struct instant at,
                                            struct limits_asked *ret)
{
	*ret = (struct limits_asked){.spool = e->spool, .settings = e->settings, .arena = e->arena};
	return limits_read(ret, at);
}

static bool ask(struct explain *e, struct job_event *event, struct instant at, struct buf *ret,
                struct error *err)
{
	struct limits_asked asked;
	struct verdict verdict;
	struct rules_case subject = {
	        .settings = e->settings,
	        .zones = e->zones,
	        .arena = e->arena,
	        .now = at,
	        .event = event,
	        .trace_max = TRACE_WHOLE,
	};
	if (!find_customer(e, event->customer, &subject.customer, err))
		return false;
	if (subject.customer && strcmp(subject.customer->number, event->customer) != 0) {
		event->named = event->customer;
		event->customer = subject.customer->number;
	}
	find_marks(e, &subject, find_recorded(e, event));
	if (!subject.recorded)
		subject.limits = limits_of(e, at, &asked);
	rules_judge(&subject, &verdict);
	verdict_json(&subject, &verdict, ret);
	return true;
}

static bool explain_value(struct explain *e, json_t *json, const struct event_mends *mends,
                          struct instant at, struct buf *ret, struct error *err)
{
	struct job_event event;
	struct error why;
	bool ok = true;
	size_t max = (size_t)e->settings->redis.max_event_size;
	if (!event_read_value(json, mends, at, max, e->arena, &event, &why))
		malformed(&why, ret);
	else if (event.kind != EVENT_JOB)
		malformed(&(struct error){.code = EX_DATAERR,
		                          .text = "this is a request, not a job event; see gate "
		                                  "create and gate dispatch"},
		          ret);
	else
		ok = ask(e, &event, at, ret, err);
	arena_reset(e->arena);
	return ok;
}

bool explain_event(struct explain *e, const char *text, size_t len, struct instant at,
                   struct buf *ret, struct error *err)
{
	struct event_mends mends = {0};
	json_t *json = jsontext_read_mended(text, len, event_mended, &mends, err);
	bool ok = json != NULL && explain_value(e, json, &mends, at, ret, err);
	json_decref(json);
	return ok;
}

bool explain_line(struct explain *e, const char *line, size_t len, struct instant now,
                  struct buf *ret, struct error *err)
{
	struct event_mends mends = {.above = 1};
	json_t *json = jsontext_read_mended(line, len, event_mended, &mends, err);
	if (json == NULL)
		return false;
	json_t *event = json_object_get(json, "event"), *at_json = json_object_get(json, "at");
	struct instant at = now;
	bool ok;
	if (event == NULL)
		ok = error_set(err, EX_DATAERR,
		               "expected {\"at\": TIME, \"event\": {…}}, found no \"event\"");
	else if (at_json != NULL && !json_is_null(at_json) &&
	         (!json_is_string(at_json) || !instant_parse(json_string_value(at_json), &at)))
		ok = error_set(err, EX_DATAERR, "\"at\" must be an RFC 3339 time");
	else
		ok = explain_value(e, event, &mends, at, ret, err);
	json_decref(json);
	return ok;
}
