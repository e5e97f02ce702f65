/* SPDX-License-Identifier: MIT */
/*
 * A released job as the driver's software gets it (contract, section 6): the job's own data, and
 * from the customer's record what the driver needs. The record never gives way to data where a
 * wrong value would send a truck astray.
 */
#include "engine/gate_release.h"

#include "base/jsontext.h"
#include "db/fields.h"
#include "engine/engine_private.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct release {
	struct engine *engine;
	const struct spool_request *request;
	const struct customer *customer;
	const struct zone *zone;
	json_t *fields; /* name → text */
	struct belongings belongings;
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

/* What only dispatchd says: absent where it has nothing to say, whatever data claims. `id` is the
 * entry's. */
static const char *const ours[] = {"id",        "job",      "customer",      "route",
                                   "arrive_by", "leave_by", "outside_hours", "assets",
                                   "disclaimer"};

/* The job's own data: texts as they are, all else as JSON. */
static void put_data(struct release *r)
{
	json_t *data = jsontext_read(r->request->event.data, strlen(r->request->event.data), NULL),
	       *value;
	const char *name;
	json_object_foreach(data, name, value)
	{
		char *text = json_is_string(value)
		                     ? NULL
		                     : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		if (!json_is_null(value))
			json_object_set_new(r->fields, name,
			                    json_string(text ? text : json_string_value(value)));
		free(text);
	}
	json_decref(data);
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		json_object_del(r->fields, ours[i]);
}

static void put_window(struct release *r, struct instant scheduled)
{
	struct instant at = instant_is_none(scheduled) ? r->engine->now : scheduled;
	struct hours_span span;
	char text[INSTANT_TEXT_MAX];
	if (!hours_arrival_window(customer_hours(r->customer, r->engine->arena), r->zone, at,
	                          &span))
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
	const struct contact *const *contacts =
	        customer_contacts(r->customer, r->engine->arena, &n);
	const struct contact *c = n > 0 ? contacts[0] : NULL;
	const char *phones[] = {c ? c->cell_phone : "", c ? c->work_phone : "",
	                        c ? c->home_phone : "", r->customer->phone, NULL};
	if (c != NULL) {
		const char *names[] = {c->name,
		                       arena_printf(r->engine->arena, "%s%s%s", c->first_name,
		                                    *c->first_name && *c->last_name ? " " : "",
		                                    c->last_name),
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
			buf_printf(&text, "%s%s",
			           text.len == 0 ? ""
			           : i == 3      ? " "
			                         : ", ",
			           parts[i]);
	}
	put(r, "address", buf_text(&text));
	buf_free(&text);
}

static void put_both(json_t *json, const char *first, const char *a, const char *second,
                     const char *b)
{
	if (*a == '\0' || *b == '\0')
		return;
	json_object_set_new(json, first, json_string(a));
	json_object_set_new(json, second, json_string(b));
}

/* Coordinates, and its place on the plan, as the record has them, where it has both. */
static json_t *asset_json(const struct asset *asset)
{
	json_t *json = json_pack("{s:s, s:s, s:s}", "kind", asset->kind, "serial", asset->serial,
	                         "position", asset->position);
	put_both(json, "latitude", asset->latitude, "longitude", asset->longitude);
	put_both(json, "plan_x", asset->plan_x, "plan_y", asset->plan_y);
	return json;
}

static json_t *picture_json(const struct picture *p)
{
	json_t *json = json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)p->id, "name", p->name,
	                         "description", p->description, "type", p->type);
	if (p->plan)
		json_object_set_new(json, "plan", json_true());
	return json;
}

/* The customer's own, and those of this job; `dispatchctl picture fetch ID` has what is on them. */
static void put_pictures(struct release *r)
{
	json_t *pictures = json_array();
	for (size_t i = 0; i < r->belongings.n_pictures; i++) {
		const struct picture *p = &r->belongings.pictures[i];
		if (*p->job == '\0' || strcmp(p->job, r->request->event.job) == 0)
			json_array_append_new(pictures, picture_json(p));
	}
	put_json(r, "pictures", pictures);
}

static void put_records(struct release *r)
{
	const struct belongings *own = &r->belongings;
	json_t *assets = json_array(), *notes = json_array(), *documents = json_array();
	for (size_t i = 0; i < own->n_assets; i++)
		json_array_append_new(assets, asset_json(&own->assets[i]));
	for (size_t i = 0; i < own->n_urgent_notes; i++)
		json_array_append_new(notes, json_string(own->urgent_notes[i]));
	for (size_t i = 0; i < own->n_documents; i++)
		json_array_append_new(documents, json_string(own->documents[i]));
	put_json(r, "assets", assets);
	put_json(r, "urgent_notes", notes);
	put_json(r, "documents", documents);
	put_pictures(r);
	put(r, "disclaimer", r->customer->disclaimer);
}

/* The dispatch stream: its key may have {route} in it, which only a checked name replaces. */
static const char *dispatch_key(struct engine *engine, const char *route)
{
	const char *key = engine->settings->redis.dispatch;
	const char *at = strstr(key, "{route}");
	if (at == NULL)
		return key;
	return arena_printf(engine->arena, "%.*s%s%s", (int)(at - key), key,
	                    *route ? route : "none", at + 7);
}

static void publish(struct release *r)
{
	struct engine *engine = r->engine;
	struct buf pack = {0};
	const char *name;
	json_t *value;
	json_object_foreach(r->fields, name, value)
	        fields_add(&pack, name, json_string_value(value));
	struct spool_outcome outcome = {
	        .outbox = OUTBOX_DISPATCH,
	        .key = dispatch_key(engine,
	                            event_data_text(&r->request->event, "route", engine->arena)),
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

static void put_decision(struct release *r, bool outside_hours)
{
	const struct job_event *event = &r->request->event;
	const char *route = event_data_text(event, "route", r->engine->arena);
	put(r, "job", event->job);
	put(r, "customer", event->customer);
	put(r, "route", *route ? route : "none");
	put(r, "outside_hours", outside_hours ? "true" : "false");
}

/* Where they can't be read, the turn can't be trusted: none of it happens. */
static struct belongings belongings_of(struct engine *engine, const struct customer *customer)
{
	struct belongings belongings = {0};
	struct error err;
	if (!customers_load_belongings(engine->customers, engine->arena, customer, &belongings,
	                               &err))
		spool_fail(engine->spool, &err);
	return belongings;
}

void engine_release_job(struct engine *engine, const struct spool_request *request,
                        const struct customer *customer, bool outside_hours)
{
	struct instant scheduled = INSTANT_NONE;
	struct release r = {engine,        request,
	                    customer,      rules_zone(engine->settings, engine->zones, customer),
	                    json_object(), belongings_of(engine, customer)};
	(void)event_scheduled(&request->event, &scheduled);
	put(&r, "request",
	    request->event.id); /* not in the contract: a member of that name may replace it */
	put_data(&r);
	put_decision(&r, outside_hours);
	const char *own = json_string_value(json_object_get(r.fields, "reference"));
	put(&r, "reference", own != NULL && *own ? own : customer_reference(customer));
	put(&r, "location_notes", customer_location_notes(customer));
	put_window(&r, scheduled);
	put_contact(&r);
	put_address(&r);
	put_records(&r);
	publish(&r);
	json_decref(r.fields);
}
