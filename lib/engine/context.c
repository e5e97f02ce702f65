/* SPDX-License-Identifier: MIT */
/*
 * What a template sees (contract, section 5): one JSON object with event, job, jobs, customer,
 * contact, window, timeline, company and, for the office, suspension. Made when a mail is first
 * dispatched and recorded with it, so that a retry has the same content. Only names that have a
 * value are there.
 */
#include "engine/context.h"

#include "base/jsontext.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/report.h"
#include "mail/context.h"
#include "model/kind.h"
#include "model/suspension.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text != NULL && *text)
		json_object_set_new(object, name, json_string(text));
}

static void set_time(json_t *object, const char *name, struct instant t, const struct zone *zone)
{
	char text[INSTANT_TEXT_MAX];
	if (!instant_is_none(t))
		set_text(object, name, instant_format(t, zone_offset_s(zone, t), text));
}

static void set_day(json_t *object, const char *name, struct day day)
{
	char text[DAY_TEXT_MAX];
	set_text(object, name, day_format(day, text));
}

/* Bytes of JSON text, or what its values take of the memory beyond the text, if that is more:
 * `[{},{},…]` takes a hundred times its text. */
static size_t weigh(const char *data)
{
	enum { VALUE = 64, ARRAY = 128, OBJECT = 256 };
	const char *p = data;
	size_t weight = 0;
	bool text = false;
	for (; *p; p++) {
		if (*p == '"')
			text = !text;
		else if (*p == '\\' && p[1])
			p++;
		else if (!text)
			weight += *p == ',' ? VALUE : *p == '[' ? ARRAY : *p == '{' ? OBJECT : 0;
	}
	size_t len = (size_t)(p - data);
	return weight > len ? weight : len;
}

/* Up to `most`, and it is then not known how many more there are. */
static size_t count_values(const json_t *value, size_t most)
{
	size_t n = 1, i;
	const char *key;
	json_t *member;
	json_object_foreach((json_t *)value, key, member)
	{
		if (n < most)
			n += count_values(member, most - n);
	}
	json_array_foreach(value, i, member)
	{
		if (n < most)
			n += count_values(member, most - n);
	}
	return n;
}

/* Takes out what there is no room for: each member is there as a whole, or not at all. */
static void thin_out(json_t *data)
{
	size_t left = MAIL_VALUES_MAX;
	const char *name;
	json_t *member;
	void *next;
	json_object_foreach_safe(data, next, name, member)
	{
		size_t n = count_values(member, left + 1);
		if (n <= left)
			left -= n;
		else
			json_object_del(data, name);
	}
}

static json_t *data_of(const struct job_event *event)
{
	json_t *data = jsontext_read(event->data, strlen(event->data), NULL);
	if (json_is_object(data))
		return data;
	json_decref(data);
	return json_object();
}

/* An event that a mail reports. */
struct source {
	struct spool_event event;
	const char *data; /* NULL: it is in the spool */
	bool first;       /* the spool has no other event of the job */
	const struct customer *customer;
};

/* A job's events by time, and the data of each. */
struct history {
	const struct spool_event *events;
	json_t **data; /* NULL: left out */
	size_t n, left_out;
};

/* The data of a job's events, the latest first as far as the room goes: each is in a mail several
 * times. */
static void history_load(struct engine *engine, const struct source *source, json_t *latest,
                         size_t *room, struct history *ret)
{
	const struct spool_event *now = &source->event;
	size_t n = 1;
	*ret = (struct history){.events = now};
	if (!source->first)
		ret->events = spool_job_events(engine->spool, now->job, engine->arena, &n);
	ret->n = n;
	ret->data = arena_new_array(engine->arena, n, json_t *);
	for (size_t i = n; i-- > 0;) {
		if (ret->events[i].id == now->id) {
			ret->data[i] = json_incref(latest);
			continue;
		}
		struct job_event event = {.data = "{}"};
		if (*room > 0)
			event.data =
			        spool_event_data(engine->spool, ret->events[i].id, engine->arena);
		size_t len = weigh(event.data);
		ret->left_out += len > *room || *room == 0;
		if (len <= *room)
			ret->data[i] = data_of(&event);
		*room -= len < *room ? len : *room;
	}
}

static void history_free(struct history *history)
{
	for (size_t i = 0; i < history->n; i++)
		json_decref(history->data[i]);
}

static json_t *event_json(const struct job_event *event, json_t *data, const struct zone *zone)
{
	json_t *json = json_copy(data);
	set_text(json, "id", event->id);
	set_text(json, "source", event->source);
	set_text(json, "type", event_type(event));
	set_time(json, "time", event->time, zone);
	set_text(json, "job", event->job);
	set_text(json, "customer", event->customer);
	json_object_set(json, "data", data);
	return json;
}

/* One object from the data of all the job's events, later ones winning. */
static json_t *job_json(const struct history *history, const struct job_event *now, json_t *latest,
                        const struct zone *zone)
{
	json_t *json = json_object();
	for (size_t i = 0; i < history->n; i++)
		json_object_update(json, history->data[i]);
	json_object_update(json, latest);
	set_text(json, "id", now->job);
	set_text(json, "state", job_state_name(now->state));
	set_time(json, "time", now->time, zone);
	return json;
}

static json_t *timeline_json(const struct history *history, const struct zone *zone)
{
	json_t *list = json_array();
	for (size_t i = 0; i < history->n; i++) {
		const struct job_event *e = &history->events[i].event;
		if (history->events[i].reason == REASON_REPEAT)
			continue;
		json_t *row =
		        history->data[i] != NULL ? json_copy(history->data[i]) : json_object();
		json_object_set_new(row, "event", json_string(e->id));
		set_text(row, "state", job_state_name(e->state));
		set_text(row, "type", event_type(e));
		set_time(row, "time", e->time, zone);
		json_array_append_new(list, row);
	}
	return list;
}

static void set_field(json_t *object, const struct field *field, const char *text)
{
	if (field->type == FIELD_FLAG && *text != '\0')
		json_object_set_new(object, field->name, json_boolean(strcmp(text, "true") == 0));
	else
		set_text(object, field->name, text);
}

json_t *engine_customer_json(const struct customer *c)
{
	const struct kind *kind = kind_find("customer");
	json_t *json = json_object();
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (!kind->fields[i].not_in_mail)
			set_field(json, &kind->fields[i], customer_text(c, i));
	}
	if (c->parent != NULL)
		json_object_set_new(json, "parent", engine_customer_json(c->parent));
	return json;
}

static json_t *contact_json(const struct contact *c)
{
	const struct kind *kind = kind_find("contact");
	json_t *json = json_object();
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (!kind->fields[i].not_in_mail)
			set_field(json, &kind->fields[i], c->texts[i]);
	}
	set_text(json, "name", c->name);
	json_object_set_new(json, "id", json_integer(c->id));
	return json;
}

json_t *engine_suspension_json(const struct suspension *s)
{
	char scopes[WORDS_TEXT_MAX];
	json_t *json = json_object();
	json_object_set_new(json, "id", json_integer(s->id));
	set_text(json, "customer", s->customer);
	set_text(json, "scopes", scopes_format(s->scopes, scopes));
	set_day(json, "from", s->from);
	set_day(json, "until", s->until);
	set_text(json, "note", s->note);
	set_text(json, "author", s->author);
	return json;
}

/* From midnight to midnight: "00:00 to 00:00" would be meaningless. */
static bool is_all_day(struct hours_span span, const struct zone *zone)
{
	struct day day = zone_day(zone, span.open);
	return span.open.ms == zone_day_start(zone, day).ms &&
	       span.close.ms == zone_day_start(zone, (struct day){day.n + 1}).ms;
}

/* When the driver is to be there and to be gone: by the job's `scheduled`, else by the event's
 * time. */
static json_t *window_json(struct engine *engine, const struct customer *customer,
                           const json_t *job, const struct job_event *event,
                           const struct zone *zone)
{
	const char *scheduled = json_string_value(json_object_get(job, "scheduled"));
	struct instant at = event->time;
	struct hours_span span;
	if (scheduled != NULL)
		(void)instant_parse(scheduled, &at);
	if (!hours_arrival_window(customer_hours(customer, engine->arena), zone, at, &span))
		return NULL;
	json_t *json = json_object();
	set_time(json, "arrive_by", span.open, zone);
	set_time(json, "leave_by", span.close, zone);
	if (is_all_day(span, zone))
		json_object_set_new(json, "all_day", json_true());
	return json;
}

json_t *engine_company_json(const struct settings *settings)
{
	json_t *json = json_object();
	set_text(json, "name", settings->company.name);
	set_text(json, "phone", settings->company.phone);
	set_text(json, "website", settings->company.website);
	set_text(json, "email", settings->office.email);
	return json;
}

/* The members of one event: its job with its customer and window. */
static json_t *one_job(struct engine *engine, const struct source *source, json_t *data,
                       size_t *room, json_t **ret_timeline)
{
	struct history history;
	const struct spool_event *event = &source->event;
	const struct customer *customer = source->customer;
	const struct zone *zone = rules_zone(engine->settings, engine->zones, customer);
	history_load(engine, source, data, room, &history);
	json_t *job = job_json(&history, &event->event, data, zone);
	if (ret_timeline != NULL)
		*ret_timeline = timeline_json(&history, zone);
	if (history.left_out > 0)
		engine_report_often(
		        engine, REPORT_LARGE, LOG_WARNING,
		        "a mail leaves out data of the job's oldest events: %d KiB fit into one "
		        "mail job=%s customer=%s events=%zu",
		        MAIL_DATA_MAX / 1024, event->event.job, event->event.customer,
		        history.left_out);
	history_free(&history);
	if (customer == NULL)
		return job;
	if (json_object_get(job, "reference") == NULL)
		set_text(job, "reference", customer_reference(customer));
	json_t *whose = engine_customer_json(customer);
	if (json_object_get(whose, "timezone") == NULL)
		set_text(whose, "timezone", zone_name(zone));
	json_object_set_new(job, "customer", whose);
	/* Written where there is none, too: in `jobs`, the name would be the first job's window. */
	json_t *window = window_json(engine, customer, job, &event->event, zone);
	if (window != NULL || json_object_get(job, "window") == NULL)
		json_object_set_new(job, "window", window != NULL ? window : json_null());
	return job;
}

json_t *engine_job_json(struct engine *engine, const struct spool_event *event, size_t *room)
{
	size_t weight = weigh(event->event.data);
	json_t *data = weight <= *room ? data_of(&event->event) : json_object();
	*room -= weight <= *room ? weight : 0;
	struct source source = {.event = *event,
	                        .customer = engine_customer(engine, event->event.customer)};
	json_t *job = one_job(engine, &source, data, room, NULL);
	json_decref(data);
	return job;
}

static const struct contact *find_contact(struct engine *engine, const struct customer *customer,
                                          int64_t id)
{
	size_t n;
	const struct contact *const *contacts = customer_contacts(customer, engine->arena, &n);
	for (size_t i = 0; i < n; i++) {
		if (contacts[i]->id == id)
			return contacts[i];
	}
	return NULL;
}

static void add_first(struct engine *engine, json_t *context, const struct spool_mail *mail,
                      const struct source *source, json_t *data, json_t *job)
{
	const struct customer *customer = source->customer;
	const struct zone *zone = rules_zone(engine->settings, engine->zones, customer);
	json_object_set_new(context, "event", event_json(&source->event.event, data, zone));
	json_object_set_new(context, "job",
	                    json_copy(job)); /* it is completed, those in `jobs` are not */
	json_object_set_new(context, "company", engine_company_json(engine->settings));
	if (customer == NULL)
		return;
	json_object_set(context, "customer", json_object_get(job, "customer"));
	if (json_is_object(json_object_get(job, "window")))
		json_object_set(context, "window", json_object_get(job, "window"));
	const struct contact *contact = find_contact(engine, customer, mail->contact);
	if (contact != NULL)
		json_object_set_new(context, "contact", contact_json(contact));
	const struct suspension *suspension =
	        mail->contact != MAIL_OFFICE
	                ? NULL
	                : suspension_find(customer, SCOPE_JOBS | SCOPE_ROUTES, zone, engine->now);
	if (suspension != NULL)
		json_object_set_new(context, "suspension", engine_suspension_json(suspension));
}

static void report_thinned(struct engine *engine, const struct job_event *event)
{
	engine_report_often(engine, REPORT_LARGE, LOG_WARNING,
	                    "a mail leaves out members of an event's data: %d values fit into it "
	                    "source=%s id=%s",
	                    MAIL_VALUES_MAX, event->source, event->id);
}

/* What the event itself holds, as far as there is room: for one event there is, but for too many
 * values. */
static json_t *own_data(struct engine *engine, struct source *source, size_t *room)
{
	struct spool_event *event = &source->event;
	const char *data = *room == 0 ? "{}"
	                   : source->data != NULL
	                           ? source->data
	                           : spool_event_data(engine->spool, event->id, engine->arena);
	event->event.data = "{}"; /* until it is known whether there is room for it */
	size_t len = weigh(data);
	bool fits = *room == MAIL_DATA_MAX || (*room > 0 && len <= *room);
	if (fits)
		event->event.data = data;
	else
		engine_report_often(engine, REPORT_LARGE, LOG_WARNING,
		                    "a mail of several jobs leaves out an event's data: %d KiB fit "
		                    "into one mail source=%s id=%s",
		                    MAIL_DATA_MAX / 1024, event->event.source, event->event.id);
	*room -= len < *room ? len : *room;
	json_t *json = data_of(&event->event);
	if (len > MAIL_DATA_MAX && count_values(json, MAIL_VALUES_MAX + 2) > MAIL_VALUES_MAX + 1) {
		thin_out(json);
		report_thinned(engine, &event->event);
	}
	return json;
}

/* A mail's context in the making. */
struct making {
	struct engine *engine;
	const struct spool_mail *mail;
	json_t *context, *jobs;
	size_t room;
};

static struct making making_of(struct engine *engine, const struct spool_mail *mail)
{
	return (struct making){engine, mail, json_object(), json_array(), MAIL_DATA_MAX};
}

/* One more event of the mail: its job, and with the first one what is there once. */
static void add_source(struct making *m, struct source *source)
{
	json_t *timeline = NULL;
	json_t *data = own_data(m->engine, source, &m->room);
	json_t *job = one_job(m->engine, source, data, &m->room, &timeline);
	json_array_append_new(m->jobs, job);
	if (json_array_size(m->jobs) == 1) {
		json_object_set(m->context, "timeline", timeline);
		add_first(m->engine, m->context, m->mail, source, data, job);
	}
	json_decref(timeline);
	json_decref(data);
}

/* Its text, in the turn's arena. */
static const char *finish(struct making *m)
{
	json_object_set_new(m->context, "jobs", m->jobs);
	context_complete(m->context);
	char *text = json_dumps(m->context, JSON_COMPACT);
	json_decref(m->context);
	if (text == NULL)
		bug("mail %lld: its context is not JSON", (long long)m->mail->id);
	const char *copy = arena_strdup(m->engine->arena, text);
	free(text);
	return copy;
}

const char *engine_context(struct engine *engine, const struct spool_mail *mail,
                           const struct spool_event *const *events, size_t n)
{
	struct making m = making_of(engine, mail);
	for (size_t i = 0; i < n; i++) {
		struct source source = {
		        .event = *events[i],
		        .customer = engine_customer(engine, events[i]->event.customer),
		};
		add_source(&m, &source);
	}
	return finish(&m);
}

const char *engine_context_new(struct engine *engine, const struct new_mail *mail)
{
	struct making m = making_of(engine, &mail->mail);
	struct source source = {
	        .event = mail->event,
	        .data = mail->event.event.data,
	        .first = mail->first,
	        .customer = mail->customer,
	};
	add_source(&m, &source);
	return finish(&m);
}
