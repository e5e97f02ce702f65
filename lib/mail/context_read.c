/* SPDX-License-Identifier: MIT */
/*
 * What templates see, of what the engine recorded. Nothing is copied: an object that has another's
 * members besides its own is put in front of it.
 *
 *      job ─▶ id, state, time, … ─▶ the event's data ─▶ data of earlier events ─▶ what is there
 *                                                        of the same job           by default
 */
#include "mail/context.h"

#include "base/buf.h"
#include "model/job_state.h"

#include <string.h>

/* Of a job of a mail, what `job`, `jobs` and `timeline` are made of. */
struct entry {
	const struct jsonview *event, *data, *customer, *window, *history;
};

static const struct jsonview *get_object(const struct jsonview *object, const char *key)
{
	const struct jsonview *value = jsonview_get(object, key);
	return value != NULL && value->type == JSONVIEW_OBJECT ? value : NULL;
}

/* ---- what a template can't work out itself */

/* The name of the state that an entry is in; NULL where it has none that a job can be in. */
static const char *state_of(const struct jsonview *entry)
{
	size_t len;
	char name[32];
	const char *text = jsonview_text(entry, "state", &len);
	if (len == 0 || len >= sizeof name)
		return NULL;
	memcpy(name, text, len);
	name[len] = '\0';
	enum job_state state = job_state_find(name);
	return state != JOB_NONE ? job_state_name(state) : NULL;
}

/* A member of its own for the state that an entry is in, where it has none of that name. */
static void mark_state(struct arena *arena, struct jsonview *entry)
{
	if (entry->type != JSONVIEW_OBJECT)
		return;
	const char *state = state_of(entry);
	if (state != NULL && jsonview_get(entry, state) == NULL)
		jsonview_set_constant(arena, entry, state, JSONVIEW_TRUE);
}

static void mark_states(struct arena *arena, const struct jsonview *list)
{
	if (list == NULL || list->type != JSONVIEW_LIST)
		return;
	for (struct jsonview *entry = list->first; entry != NULL; entry = entry->next)
		mark_state(arena, entry);
}

/* The members of the whole are in front of it, so that they are replaced. */
static const struct jsonview *complete(struct arena *arena, const struct jsonview *whole)
{
	const struct jsonview *timeline = jsonview_get(whole, "timeline");
	const struct jsonview *jobs = jsonview_get(whole, "jobs");
	const struct jsonview *job = get_object(whole, "job");
	mark_states(arena, timeline);
	mark_states(arena, jobs);
	if (job == NULL)
		return whole;
	struct jsonview *front = jsonview_object(arena, whole);
	struct jsonview *own = jsonview_object(arena, job);
	mark_state(arena, own);
	if (jsonview_count(timeline) > 1)
		jsonview_set_constant(arena, own, "history", JSONVIEW_TRUE);
	if (jsonview_count(jobs) > 1)
		jsonview_set_constant(arena, own, "grouped", JSONVIEW_TRUE);
	jsonview_set(arena, front, "job", own);
	return front;
}

/* ---- the short form */

static void set_from(struct arena *arena, struct jsonview *object, const char *name,
                     const struct jsonview *from)
{
	jsonview_set(arena, object, name, jsonview_get(from, name));
}

/* The data of a row of the history: the event's own is not in it. */
static const struct jsonview *row_data(const struct entry *entry, const struct jsonview *row)
{
	const struct jsonview *data = jsonview_get(row, "data");
	return data != NULL ? data : entry->data;
}

/* What there is behind the latest event's data: that of the others, later ones in front, and what
 * the customer has. */
static const struct jsonview *job_behind(struct arena *arena, const struct entry *entry)
{
	struct jsonview *last = jsonview_object(arena, NULL);
	set_from(arena, last, "reference", entry->customer);
	if (entry->window == NULL && entry->customer != NULL)
		jsonview_set_constant(arena, last, "window", JSONVIEW_NULL);
	const struct jsonview *behind = last;
	const struct jsonview *rows = entry->history != NULL ? entry->history->first : NULL;
	for (const struct jsonview *row = rows; row != NULL; row = row->next) {
		const struct jsonview *data = row_data(entry, row);
		if (data == NULL || data->type != JSONVIEW_OBJECT)
			continue;
		struct jsonview *layer = jsonview_object(arena, behind);
		layer->first = data->first;
		behind = layer;
	}
	return behind;
}

static struct jsonview *job_of(struct arena *arena, const struct entry *entry)
{
	struct jsonview *data = jsonview_object(arena, job_behind(arena, entry));
	if (entry->data != NULL)
		data->first = entry->data->first;
	struct jsonview *job = jsonview_object(arena, data);
	jsonview_set(arena, job, "id", jsonview_get(entry->event, "job"));
	set_from(arena, job, "state", entry->event);
	set_from(arena, job, "time", entry->event);
	jsonview_set(arena, job, "customer", entry->customer);
	jsonview_set(arena, job, "window", entry->window);
	return job;
}

static struct jsonview *event_of(struct arena *arena, const struct entry *entry)
{
	static const char *const names[] = {"id", "source", "type", "time", "job", "customer"};
	struct jsonview *event = jsonview_object(arena, entry->data);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		set_from(arena, event, names[i], entry->event);
	jsonview_set(arena, event, "data",
	             entry->data != NULL ? entry->data : jsonview_object(arena, NULL));
	return event;
}

/* `from` has the event's id as `id_name`. */
static struct jsonview *row_of(struct arena *arena, const struct jsonview *from,
                               const char *id_name, const struct jsonview *data)
{
	struct jsonview *row = jsonview_object(arena, data);
	jsonview_set(arena, row, "event", jsonview_get(from, id_name));
	set_from(arena, row, "state", from);
	set_from(arena, row, "type", from);
	set_from(arena, row, "time", from);
	return row;
}

static struct jsonview *timeline_of(struct arena *arena, const struct entry *entry)
{
	struct jsonview *list = jsonview_list(arena), **end = &list->first;
	if (entry->history == NULL) {
		jsonview_append(arena, &end, row_of(arena, entry->event, "id", entry->data));
		return list;
	}
	for (const struct jsonview *row = entry->history->first; row != NULL; row = row->next)
		if (jsonview_get(row, "repeat") == NULL)
			jsonview_append(arena, &end,
			                row_of(arena, row, "event", row_data(entry, row)));
	return list;
}

/* `customer` is whose it is where it says nothing of that. */
static struct entry entry_of(const struct jsonview *from, const struct jsonview *customer)
{
	const struct jsonview *own = get_object(from, "customer");
	const struct jsonview *history = jsonview_get(from, "history");
	if (own != NULL)
		customer = own->first != NULL ? own : NULL;
	return (struct entry){
	        .event = jsonview_get(from, "event"),
	        .data = get_object(from, "data"),
	        .customer = customer,
	        .window = get_object(from, "window"),
	        .history = history != NULL && history->type == JSONVIEW_LIST ? history : NULL,
	};
}

static const struct jsonview *expand(struct arena *arena, const struct jsonview *from)
{
	const struct entry first = entry_of(from, NULL);
	struct jsonview *whole = jsonview_object(arena, NULL);
	struct jsonview *jobs = jsonview_list(arena), **end = &jobs->first;
	struct jsonview *job = job_of(arena, &first);
	jsonview_append(arena, &end, job);
	const struct jsonview *others = jsonview_get(from, "events");
	if (jsonview_count(others) > 0)
		for (const struct jsonview *o = others->first; o != NULL; o = o->next) {
			const struct entry entry = entry_of(o, first.customer);
			jsonview_append(arena, &end, job_of(arena, &entry));
		}
	jsonview_set(arena, whole, "event", event_of(arena, &first));
	jsonview_set(arena, whole, "timeline", timeline_of(arena, &first));
	jsonview_set(arena, whole, "jobs", jobs);
	jsonview_set(arena, whole, "job", job);
	set_from(arena, whole, "company", from);
	jsonview_set(arena, whole, "customer", first.customer);
	if (first.customer != NULL)
		jsonview_set(arena, whole, "window", get_object(job, "window"));
	set_from(arena, whole, "contact", from);
	set_from(arena, whole, "suspension", from);
	set_from(arena, whole, "report", from);
	set_from(arena, whole, "bounce", from);
	return whole;
}

const struct jsonview *context_read(struct arena *arena, const char *text, struct error *err)
{
	const struct jsonview *context = jsonview_read(arena, text, strlen(text), err);
	if (context == NULL)
		return NULL;
	if (jsonview_get(context, "v") != NULL)
		context = expand(arena, context);
	return complete(arena, context);
}
