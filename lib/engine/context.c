/* SPDX-License-Identifier: MIT */
/*
 * What a template sees (contract, section 5), in the short form of mail/context.h: made when a mail
 * is first dispatched and recorded with it, so that a retry has the same content. Written as text,
 * the events' data as it came; only names that have a value are there.
 */
#include "engine/context.h"

#include "base/jsontext.h"
#include "base/jsonview.h"
#include "engine/context_parts.h"
#include "engine/customer_cache.h"
#include "engine/engine_private.h"
#include "engine/report.h"
#include "engine/trace.h"
#include "mail/context.h"
#include "model/suspension.h"

#include <jansson.h>
#include <string.h>
#include <syslog.h>

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

/* As the spool has it, unless it has been edited. */
static const char *object_text(const char *data)
{
	return *data == '{' ? data : "{}";
}

/* An event that a mail reports. */
struct source {
	const struct spool_event *event;
	const char *data; /* its own, as far as there is room for it */
	bool first;       /* the spool has no other event of the job */
	const struct customer *customer;
	const struct zone *zone;
};

/* ---- The events of its job ---- */

/* A job's events by time, and the data of each. */
struct history {
	const struct spool_event *events;
	const char **data; /* NULL: left out */
	size_t n, left_out;
};

/* The data of a job's events, the latest first as far as the room goes. */
static struct history history_load(struct engine *engine, const struct source *source, size_t *room)
{
	size_t n;
	struct history ret = {
	        .events = spool_job_events(engine->spool, source->event->job, engine->arena, &n)};
	ret.n = n;
	ret.data = arena_new_array(engine->arena, n, const char *);
	for (size_t i = n; i-- > 0;) {
		const char *data = "{}";
		if (ret.events[i].id == source->event->id) {
			ret.data[i] = source->data;
			continue;
		}
		if (*room > 0)
			data = spool_event_data(engine->spool, ret.events[i].id, engine->arena);
		size_t len = weigh(data);
		ret.left_out += len > *room || *room == 0;
		if (len <= *room)
			ret.data[i] = object_text(data);
		*room -= len < *room ? len : *room;
	}
	return ret;
}

static struct history history_of(struct engine *engine, const struct source *source, size_t *room)
{
	struct history history = {0};
	if (!source->first)
		history = history_load(engine, source, room);
	if (history.left_out > 0)
		engine_report_often(
		        engine, REPORT_LARGE, LOG_WARNING,
		        "a mail leaves out data of the job's oldest events: %d KiB fit into one "
		        "mail job=%s customer=%s events=%zu",
		        MAIL_DATA_MAX / 1024, source->event->event.job,
		        source->event->event.customer, history.left_out);
	return history;
}

static void put_history(struct buf *out, const struct history *history, const struct source *source)
{
	context_put_name(out, "history");
	buf_addc(out, '[');
	for (size_t i = 0; i < history->n; i++) {
		const struct job_event *e = &history->events[i].event;
		buf_adds(out, i > 0 ? ",{" : "{");
		context_put_text(out, "event", e->id);
		context_put_text(out, "state", job_state_name(e->state));
		context_put_text(out, "type", event_type(e));
		context_put_time(out, "time", e->time, source->zone);
		if (history->events[i].id != source->event->id) {
			context_put_name(out, "data");
			buf_adds(out, history->data[i] != NULL ? history->data[i] : "{}");
		}
		if (history->events[i].reason == REASON_REPEAT) {
			context_put_name(out, "repeat");
			buf_adds(out, "true");
		}
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

/* ---- When the driver is to be there and to be gone ---- */

enum {
	SCHEDULED_MAX = 64, /* longer than any time */
	USUAL_BYTES = 1500, /* of a context */
};

/* False where the data doesn't say anything; what it says need not be a time. */
static bool scheduled_in(struct engine *engine, const char *data, struct instant *ret)
{
	char text[SCHEDULED_MAX];
	size_t len;
	if (data == NULL || strstr(data, "\"scheduled\"") == NULL)
		return false;
	const struct jsonview *view = jsonview_read(engine->arena, data, strlen(data), NULL);
	if (jsonview_get(view, "scheduled") == NULL)
		return false;
	const char *at = jsonview_text(view, "scheduled", &len);
	if (len < sizeof text) {
		memcpy(text, at, len);
		text[len] = '\0';
		(void)instant_parse(text, ret);
	}
	return true;
}

/* By the job's `scheduled`, of which the latest counts, else by the event's time. */
static bool window_of(struct engine *engine, const struct source *source,
                      const struct history *history, struct hours_span *ret)
{
	struct instant at = source->event->event.time;
	size_t i = history->n;
	bool found = scheduled_in(engine, source->data, &at);
	while (!found && i-- > 0)
		found = scheduled_in(engine, history->data[i], &at);
	return hours_arrival_window(customer_hours(source->customer, engine->arena), source->zone,
	                            at, ret);
}

/* ---- A mail's context ---- */

/* In the making. */
struct making {
	struct engine *engine;
	const struct spool_mail *mail;
	struct buf out;
	size_t room;                   /* for data */
	const struct customer *first;  /* of the first event */
	const struct contact *contact; /* to whom it goes; NULL: to be found, or the office */
	size_t n;
};

static void put_event(struct buf *out, const struct job_event *event, const struct zone *zone)
{
	context_put_name(out, "event");
	buf_addc(out, '{');
	context_put_text(out, "id", event->id);
	context_put_text(out, "source", event->source);
	context_put_text(out, "type", event_type(event));
	context_put_text(out, "state", job_state_name(event->state));
	context_put_time(out, "time", event->time, zone);
	context_put_text(out, "job", event->job);
	context_put_text(out, "customer", event->customer);
	buf_addc(out, '}');
}

/* Without one of its own, an event has that of the first. */
static void put_customer(struct making *m, const struct source *source)
{
	if (source->customer == (m->n > 0 ? m->first : NULL))
		return;
	context_put_name(&m->out, "customer");
	if (source->customer != NULL)
		context_put_customer(&m->out, source->customer, source->zone);
	else
		buf_adds(&m->out, "{}");
}

/* One more event of the mail, with its job. */
static void put_source(struct making *m, const struct source *source)
{
	struct history history = history_of(m->engine, source, &m->room);
	struct hours_span window;
	put_event(&m->out, &source->event->event, source->zone);
	context_put_name(&m->out, "data");
	buf_adds(&m->out, source->data);
	put_customer(m, source);
	if (source->customer != NULL && window_of(m->engine, source, &history, &window)) {
		context_put_name(&m->out, "window");
		context_put_window(&m->out, window, source->zone);
	}
	if (history.n > 1)
		put_history(&m->out, &history, source);
	if (m->n++ == 0)
		m->first = source->customer;
}

/* Somebody who gets what is answered. */
static bool has_answerer(struct engine *engine, const struct customer *customer)
{
	if (*engine->settings->office.email)
		return true;
	const char *rep = customer != NULL ? customer_sales_rep(customer) : "";
	return *rep && *customers_rep_email(engine->customers, rep, engine->arena);
}

static void put_bounce(struct making *m, const struct contact *contact,
                       const struct customer *customer)
{
	const struct settings *settings = m->engine->settings;
	if (!*settings->bounce.address || contact == NULL || m->mail->contact == MAIL_OFFICE ||
	    !*contact->link)
		return;
	context_put_name(&m->out, "bounce");
	context_put_bounce(&m->out, settings, has_answerer(m->engine, customer));
}

/* What is there once. */
static void put_rest(struct making *m, const struct source *first)
{
	const struct contact *contact = m->contact;
	const struct suspension *suspension = NULL;
	context_put_name(&m->out, "company");
	context_put_company(&m->out, m->engine->settings);
	if (contact == NULL && first->customer != NULL)
		contact = customer_contact(first->customer, m->mail->contact);
	if (contact != NULL) {
		context_put_name(&m->out, "contact");
		context_put_contact(&m->out, contact);
	}
	put_bounce(m, contact, first->customer);
	if (first->customer != NULL && m->mail->contact == MAIL_OFFICE)
		suspension = suspension_find(first->customer, SCOPE_JOBS | SCOPE_ROUTES,
		                             first->zone, m->engine->now);
	if (suspension != NULL) {
		context_put_name(&m->out, "suspension");
		context_put_suspension(&m->out, suspension);
	}
}

static void report_thinned(struct engine *engine, const struct job_event *event)
{
	engine_report_often(engine, REPORT_LARGE, LOG_WARNING,
	                    "a mail leaves out members of an event's data: %d values fit into it "
	                    "source=%s id=%s",
	                    MAIL_VALUES_MAX, event->source, event->id);
}

/* Without what there is no room for. */
static const char *thinned(struct engine *engine, const struct job_event *event, const char *data)
{
	struct buf text = {0};
	json_t *json = jsontext_read(data, strlen(data), NULL);
	if (json_is_object(json) && count_values(json, MAIL_VALUES_MAX + 2) > MAIL_VALUES_MAX + 1) {
		thin_out(json);
		jsontext_write(&text, json, JSONTEXT_AS_IS);
		data = arena_strdup(engine->arena, buf_text(&text));
		report_thinned(engine, event);
	}
	buf_free(&text);
	json_decref(json);
	return data;
}

/* What the event itself holds, as far as there is room: for one event there is, but for too many
 * values. */
static const char *own_data(struct making *m, const struct spool_event *event, const char *known)
{
	struct engine *engine = m->engine;
	const char *data = "{}";
	if (m->room > 0)
		data = known != NULL ? known
		                     : spool_event_data(engine->spool, event->id, engine->arena);
	size_t len = weigh(data);
	bool fits = m->room == MAIL_DATA_MAX || (m->room > 0 && len <= m->room);
	if (!fits)
		engine_report_often(engine, REPORT_LARGE, LOG_WARNING,
		                    "a mail of several jobs leaves out an event's data: %d KiB fit "
		                    "into one mail source=%s id=%s",
		                    MAIL_DATA_MAX / 1024, event->event.source, event->event.id);
	m->room -= len < m->room ? len : m->room;
	if (!fits)
		return "{}";
	return len > MAIL_DATA_MAX ? thinned(engine, &event->event, data) : object_text(data);
}

static struct source source_of(struct making *m, const struct spool_event *event,
                               const char *known_data, const struct customer *customer)
{
	struct engine *engine = m->engine;
	return (struct source){
	        .event = event,
	        .data = own_data(m, event, known_data),
	        .customer = customer,
	        .zone = rules_zone(engine->settings, engine->zones, customer),
	};
}

static struct making making_of(struct engine *engine, const struct spool_mail *mail)
{
	struct making m = {.engine = engine, .mail = mail, .room = MAIL_DATA_MAX};
	buf_reserve(&m.out, USUAL_BYTES);
	buf_adds(&m.out, "{\"v\":1");
	return m;
}

/* Its text, in the turn's arena. */
static const char *finish(struct making *m, const struct source *first)
{
	put_rest(m, first);
	buf_addc(&m->out, '}');
	const char *copy = arena_strndup(m->engine->arena, m->out.data, m->out.len);
	buf_free(&m->out);
	return copy;
}

const char *engine_context(struct engine *engine, const struct spool_mail *mail,
                           const struct spool_event *const *events, size_t n)
{
	struct making m = making_of(engine, mail);
	struct source first = {0};
	for (size_t i = 0; i < n; i++) {
		struct source source = source_of(
		        &m, events[i], NULL, engine_customer(engine, events[i]->event.customer));
		if (i == 0)
			first = source;
		else
			buf_adds(&m.out, i == 1 ? ",\"events\":[{" : ",{");
		put_source(&m, &source);
		if (i > 0)
			buf_addc(&m.out, '}');
	}
	if (n > 1)
		buf_addc(&m.out, ']');
	return finish(&m, &first);
}

const char *engine_context_new(struct engine *engine, const struct new_mail *mail)
{
	struct making m = making_of(engine, &mail->mail);
	struct source source = source_of(&m, &mail->event, mail->event.event.data, mail->customer);
	source.first = mail->first;
	m.contact = mail->contact;
	put_source(&m, &source);
	return finish(&m, &source);
}

/* ---- A job of a mail that is about none of its events ---- */

static void update(json_t *object, const char *data)
{
	json_t *members = data != NULL ? jsontext_read(data, strlen(data), NULL) : NULL;
	if (json_is_object(members))
		json_object_update(object, members);
	json_decref(members);
}

static void set_customer(json_t *job, const struct customer *customer, const struct zone *zone)
{
	const char *reference = customer_reference(customer);
	if (json_object_get(job, "reference") == NULL && *reference)
		json_object_set_new(job, "reference", json_string(reference));
	json_object_set_new(job, "customer", context_customer_json(customer, zone));
}

json_t *engine_job_json(struct engine *engine, const struct spool_event *event, size_t *room)
{
	struct hours_span window;
	char time[INSTANT_TEXT_MAX];
	const struct customer *customer = engine_customer(engine, event->event.customer);
	size_t weight = weigh(event->event.data);
	struct source source = {
	        .event = event,
	        .data = weight <= *room ? event->event.data : "{}",
	        .customer = customer,
	        .zone = rules_zone(engine->settings, engine->zones, customer),
	};
	*room -= weight <= *room ? weight : 0;
	struct history history = history_of(engine, &source, room);
	json_t *job = json_object();
	for (size_t i = 0; i < history.n; i++)
		update(job, history.data[i]);
	update(job, source.data);
	json_object_set_new(job, "id", json_string(event->event.job));
	if (event->event.state != JOB_NONE)
		json_object_set_new(job, "state", json_string(job_state_name(event->event.state)));
	json_object_set_new(
	        job, "time",
	        json_string(instant_format(event->event.time,
	                                   zone_offset_s(source.zone, event->event.time), time)));
	if (customer == NULL)
		return job;
	set_customer(job, customer, source.zone);
	bool any = window_of(engine, &source, &history, &window);
	/* Written where there is none, too: in `jobs`, the name would be the first job's window. */
	if (any || json_object_get(job, "window") == NULL)
		json_object_set_new(job, "window",
		                    any ? context_window_json(window, source.zone) : json_null());
	return job;
}
