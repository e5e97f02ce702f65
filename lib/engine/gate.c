/* SPDX-License-Identifier: MIT */
/*
 * The dispatch gate (contract, section 6): requests answered once, held jobs released in the order in
 * which they came, jobs called back that are under way when a suspension takes effect.
 */
#include "engine/engine_private.h"

#include "base/jsontext.h"
#include "mail/context.h"
#include "model/suspension.h"
#include "rules/gate.h"
#include "store/fields.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>

enum { HELD_A_TURN = 2000, WATCHED_A_TURN = 2000 };

/* ---- Answers ---- */

static struct gate_case case_of(struct engine *engine, const struct spool_request *request)
{
	struct gate_case asked = {
	        .settings = engine->settings,
	        .zones = engine->zones,
	        .arena = engine->arena,
	        .now = engine->now,
	        .kind = request->event.kind,
	        .customer = engine_customer(engine, request->event.customer),
	        .scheduled = INSTANT_NONE,
	        .asked = request->event.received,
	};
	(void)event_scheduled(&request->event, &asked.scheduled);
	return asked;
}

static void answer(struct engine *engine, struct spool_request *request, enum status status,
                   enum reason reason, const struct suspension *suspension, const char *note)
{
	struct spool_event event = {.id = 0, .job = request->job, .event = request->event};
	struct outcome_facts facts = {.suspension = suspension, .note = note, .due = INSTANT_NONE};
	request->answer = engine_outcome(engine, &event, status, reason, &facts);
	spool_request_move(engine->spool, request, status, reason, engine->now);
}

/* ---- The released job ---- */

struct release {
	struct engine *engine;
	const struct spool_request *request;
	const struct customer *customer;
	const struct zone *zone;
	json_t *fields; /* name → text */
};

static void put(struct release *r, const char *name, const char *value)
{
	if (value != NULL && *value)
		json_object_set_new(r->fields, name, json_string(value));
}

static void put_json(struct release *r, const char *name, json_t *value)
{
	char *text = json_array_size(value) > 0 ? json_dumps(value, JSON_COMPACT) : NULL;
	put(r, name, text);
	free(text);
	json_decref(value);
}

/* The job's own data: texts as they are, all else as JSON. */
static void put_data(struct release *r)
{
	json_t *data = jsontext_read(r->request->event.data, strlen(r->request->event.data), NULL), *value;
	const char *name;
	json_object_foreach(data, name, value)
	{
		char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		put(r, name, text ? text : json_string_value(value));
		free(text);
	}
	json_object_del(r->fields,
	                "id"); /* that name is the entry's own: two of it would be read as the last */
	json_decref(data);
}

static void put_window(struct release *r, struct instant scheduled)
{
	struct instant at = instant_is_none(scheduled) ? r->engine->now : scheduled;
	struct hours_span span;
	char text[INSTANT_TEXT_MAX];
	if (!hours_arrival_window(customer_hours(r->customer, r->engine->arena), r->zone, at, &span))
		return;
	put(r, "arrive_by", instant_format(span.open, zone_offset_s(r->zone, span.open), text));
	put(r, "leave_by", instant_format(span.close, zone_offset_s(r->zone, span.close), text));
}

static const char *first_of(const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		if (**texts)
			return *texts;
	}
	return "";
}

static void put_contact(struct release *r)
{
	size_t n;
	const struct contact *const *contacts = customer_contacts(r->customer, r->engine->arena, &n);
	const struct contact *c = n > 0 ? contacts[0] : NULL;
	const char *phones[] = {c ? c->cell_phone : "", c ? c->work_phone : "", c ? c->home_phone : "",
	                        r->customer->phone, NULL};
	if (c != NULL) {
		const char *names[] = {c->name,
		                       arena_printf(r->engine->arena, "%s%s%s", c->first_name,
		                                    *c->first_name && *c->last_name ? " " : "", c->last_name),
		                       NULL};
		put(r, "contact_name", first_of(names));
	}
	put(r, "contact_phone", first_of(phones));
}

static void put_address(struct release *r)
{
	const struct customer *c = r->customer;
	const char *parts[] = {c->address, c->city, c->state, c->postal_code, c->country};
	struct buf text = {0};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (*parts[i])
			buf_printf(&text, "%s%s", text.len == 0 ? "" : i == 3 ? " " : ", ", parts[i]);
	}
	put(r, "address", buf_text(&text));
	buf_free(&text);
}

static void put_records(struct release *r)
{
	const struct customer *c = r->customer;
	char day[DAY_TEXT_MAX];
	json_t *assets = json_array(), *notes = json_array(), *documents = json_array();
	for (size_t i = 0; i < c->n_assets; i++)
		json_array_append_new(assets,
		                      json_pack("{s:s, s:s, s:s}", "kind", c->assets[i].kind, "serial",
		                                c->assets[i].serial, "position", c->assets[i].position));
	for (size_t i = 0; i < c->n_urgent_notes; i++)
		json_array_append_new(notes, json_string(c->urgent_notes[i]));
	for (size_t i = 0; i < c->n_documents; i++)
		json_array_append_new(documents, json_string(c->documents[i]));
	put_json(r, "assets", assets);
	put_json(r, "urgent_notes", notes);
	put_json(r, "documents", documents);
	put(r, "disclaimer", day_format(c->disclaimer, day));
}

/* The dispatch stream: its key may have {route} in it, which only a checked name replaces. */
static const char *dispatch_key(struct engine *engine, const char *route)
{
	const char *key = engine->settings->redis.dispatch;
	const char *at = strstr(key, "{route}");
	if (at == NULL)
		return key;
	return arena_printf(engine->arena, "%.*s%s%s", (int)(at - key), key, *route ? route : "none", at + 7);
}

static void publish(struct release *r)
{
	struct engine *engine = r->engine;
	struct buf pack = {0};
	const char *name;
	json_t *value;
	json_object_foreach(r->fields, name, value) fields_add(&pack, name, json_string_value(value));
	struct spool_outcome outcome = {
	        .outbox = OUTBOX_DISPATCH,
	        .key = dispatch_key(engine, event_data_text(&r->request->event, "route", engine->arena)),
	        .time = engine->now,
	        .job = r->request->job,
	        .status = STATUS_RELEASED,
	        .reason = REASON_OK,
	        .fields = buf_text(&pack),
	        .fields_len = pack.len,
	};
	spool_outcome_add(engine->spool, &outcome);
	buf_free(&pack);
}

static void add_to_dispatch(struct engine *engine, const struct spool_request *request,
                            const struct customer *customer, bool outside_hours)
{
	struct instant scheduled = INSTANT_NONE;
	struct release r = {engine, request, customer, rules_zone(engine->settings, engine->zones, customer),
	                    json_object()};
	(void)event_scheduled(&request->event, &scheduled);
	put_data(&r);
	put(&r, "request", request->event.id);
	put(&r, "job", request->event.job);
	put(&r, "customer", request->event.customer);
	const char *route = event_data_text(&request->event, "route", engine->arena);
	put(&r, "route", *route ? route : "none");
	put(&r, "outside_hours", outside_hours ? "true" : "false");
	if (json_object_get(r.fields, "reference") == NULL)
		put(&r, "reference", customer_reference(customer));
	put(&r, "location_notes", customer_location_notes(customer));
	put_window(&r, scheduled);
	put_contact(&r);
	put_address(&r);
	put_records(&r);
	publish(&r);
	json_decref(r.fields);
}

/* ---- Requests ---- */

static void decide(struct engine *engine, struct spool_request *request, const struct gate_case *asked,
                   const struct gate_verdict *v)
{
	request->look = v->look;
	request->watched = v->status == STATUS_RELEASED;
	if (request->watched)
		request->look = engine->now; /* called_back() finds out when to look */
	if (v->status == STATUS_RELEASED)
		add_to_dispatch(engine, request, asked->customer, v->outside_hours);
	answer(engine, request, v->status, v->reason, v->suspension, NULL);
}

static void repeat_answer(struct engine *engine, int64_t id, const struct event *event,
                          const unsigned char recorded[EVENT_DIGEST_SIZE])
{
	struct spool_request request;
	unsigned char digest[EVENT_DIGEST_SIZE];
	event_digest(event, digest);
	engine->stats.duplicates++;
	if (memcmp(digest, recorded, sizeof digest) != 0) {
		engine->stats.duplicates_differing++;
		engine_report_often(engine, REPORT_DIFFERING, LOG_WARNING,
		                    "duplicate with other content source=%s id=%s: the first one counts",
		                    event->source, event->id);
	}
	if (spool_request_load(engine->spool, id, engine->arena, &request) && request.answer != 0)
		spool_outcome_again(engine->spool, request.answer, engine->now);
}

static void take_new(struct engine *engine, const struct event *event)
{
	struct spool_request request = {.event = *event};
	struct gate_verdict verdict;
	struct gate_case asked = case_of(engine, &request);
	request.job = spool_job(engine->spool, event->customer, event->job);
	gate_judge(&asked, &verdict);
	request.status = verdict.status;
	request.reason = verdict.reason;
	request.look = verdict.look;
	spool_request_add(engine->spool, &request, engine->now);
	decide(engine, &request, &asked, &verdict);
}

void engine_take_request(struct engine *engine, const struct entry *entry, const struct event *event)
{
	unsigned char digest[EVENT_DIGEST_SIZE] = {0};
	int64_t id = spool_request_find(engine->spool, event->source, event->id, digest);
	struct instant until = instant_add(entry->received, engine->settings->customers.grace_ms);
	if (id != 0)
		repeat_answer(engine, id, event, digest);
	else if (engine_customer(engine, event->customer) == NULL && instant_before(engine->now, until))
		(void)spool_wait_add(engine->spool, entry, event, until);
	else
		take_new(engine, event);
}

/* ---- Held jobs ---- */

static void look_at(struct engine *engine, int64_t id)
{
	struct spool_request request;
	struct gate_verdict verdict;
	if (!spool_request_load(engine->spool, id, engine->arena, &request) || request.status != STATUS_HELD)
		return;
	struct gate_case asked = case_of(engine, &request);
	gate_judge_held(&asked, &verdict);
	if (verdict.status != STATUS_HELD || verdict.reason != request.reason) {
		decide(engine, &request, &asked, &verdict);
	} else if (verdict.look.ms != request.look.ms) {
		request.look = verdict.look;
		spool_request_move(engine->spool, &request, STATUS_HELD, request.reason, engine->now);
	}
}

/* Those whose time has come; all of them when customers have changed. In the order in which they came. */
void engine_look_at_held(struct engine *engine)
{
	int64_t ids[HELD_A_TURN], after = engine->held_after;
	struct instant look = engine->customers_came || after > 0 ? INSTANT_NEVER : engine->now;
	size_t n = spool_requests_held(engine->spool, look, after, ids, HELD_A_TURN);
	for (size_t i = 0; i < n && !spool_failed(engine->spool); i++)
		look_at(engine, ids[i]);
	engine->held_after = n == HELD_A_TURN ? ids[n - 1] : 0;
	engine->turn->more |= n == HELD_A_TURN;
}

static bool load_held(struct engine *engine, int64_t id, struct spool_request *ret, struct error *err)
{
	if (!spool_request_load(engine->spool, id, engine->arena, ret))
		return error_set(err, EX_NOINPUT, "there is no request %lld", (long long)id);
	if (ret->status != STATUS_HELD)
		return error_set(err, EX_DATAERR, "request %lld is %s, not held", (long long)id,
		                 status_name(ret->status));
	return true;
}

bool engine_release_by_hand(struct engine *engine, int64_t id, const char *note, struct error *err)
{
	struct spool_request request;
	if (!load_held(engine, id, &request, err))
		return false;
	const struct customer *customer = engine_customer(engine, request.event.customer);
	if (customer == NULL)
		return error_set(err, EX_DATAERR, "customer %s is no longer there", request.event.customer);
	add_to_dispatch(engine, &request, customer, request.reason == REASON_OUTSIDE_HOURS);
	request.look =
	        INSTANT_NEVER; /* whoever released it against the suspension knows of it: it is not watched */
	answer(engine, &request, STATUS_RELEASED, REASON_OK, NULL, note);
	return true;
}

bool engine_cancel_by_hand(struct engine *engine, int64_t id, const char *note, struct error *err)
{
	struct spool_request request;
	if (!load_held(engine, id, &request, err))
		return false;
	answer(engine, &request, STATUS_CANCELLED, REASON_BY_HAND, NULL, note);
	return true;
}

/* ---- Jobs that are released, not yet started, and now suspended ---- */

struct callback { /* what the office is told, in one mail for all */
	json_t *jobs, *customer, *suspension;
	struct spool_event first;
};

/* When its day is over, after which nobody is on the way any more. */
static struct instant watch_end(const struct engine *engine, const struct gate_case *asked,
                                const struct zone *zone)
{
	if (instant_is_none(asked->scheduled))
		return instant_add(asked->asked, engine->settings->gate.hold_max_ms);
	return zone_day_start(zone, (struct day){zone_day(zone, asked->scheduled).n + 1});
}

/* The suspension against which a released job is under way; NULL: none now, and `look` says when to ask
 * again. */
static const struct suspension *called_back(struct engine *engine, struct spool_request *request)
{
	struct gate_case asked = case_of(engine, request);
	const struct zone *zone = rules_zone(engine->settings, engine->zones, asked.customer);
	struct instant end = watch_end(engine, &asked, zone);
	if (asked.customer == NULL || !instant_before(engine->now, end)) {
		request->watched = false;
		return NULL;
	}
	request->look = instant_min(end, suspension_next_change(asked.customer, zone, engine->now));
	return suspension_find(asked.customer, SCOPE_JOBS | SCOPE_ROUTES, zone, engine->now);
}

static void call_back(struct engine *engine, struct spool_request *request,
                      const struct suspension *suspension, struct callback *all)
{
	struct spool_event event = {.job = request->job, .event = request->event};
	struct outcome_facts facts = {.suspension = suspension, .due = INSTANT_NONE};
	engine_outcome(engine, &event, STATUS_COLLISION, REASON_SUSPENDED, &facts);
	request->watched = false;
	json_t *job = engine_job_json(engine, &event);
	if (all->jobs == NULL) {
		all->jobs = json_array();
		all->first = event;
		all->customer = json_incref(json_object_get(job, "customer"));
		all->suspension = engine_suspension_json(suspension);
	}
	json_array_append_new(all->jobs, job);
}

static void tell_office(struct engine *engine, struct callback *all)
{
	json_t *context = json_object();
	json_object_set(context, "job", json_array_get(all->jobs, 0));
	json_object_set_new(context, "jobs", all->jobs);
	json_object_set_new(context, "customer", all->customer);
	json_object_set_new(context, "suspension", all->suspension);
	json_object_set_new(context, "company", engine_company_json(engine->settings));
	context_complete(context);
	char *text = json_dumps(context, JSON_COMPACT);
	if (text != NULL)
		engine_make_callback_mail(engine, &all->first, text);
	free(text);
	json_decref(context);
}

void engine_call_back(struct engine *engine)
{
	int64_t ids[WATCHED_A_TURN], after = engine->watched_after;
	struct callback all = {0};
	struct instant look = engine->customers_came || after > 0 ? INSTANT_NEVER : engine->now;
	size_t n = spool_requests_watched(engine->spool, look, after, ids, WATCHED_A_TURN);
	for (size_t i = 0; i < n && !spool_failed(engine->spool); i++) {
		struct spool_request request;
		if (!spool_request_load(engine->spool, ids[i], engine->arena, &request))
			continue;
		const struct suspension *suspension = called_back(engine, &request);
		if (suspension != NULL)
			call_back(engine, &request, suspension, &all);
		spool_request_move(engine->spool, &request, request.status, request.reason, engine->now);
	}
	if (all.jobs != NULL)
		tell_office(engine, &all);
	engine->watched_after = n == WATCHED_A_TURN ? ids[n - 1] : 0;
	engine->turn->more |= n == WATCHED_A_TURN;
}
