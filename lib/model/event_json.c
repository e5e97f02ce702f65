/* SPDX-License-Identifier: MIT */
/*
 * Spelling 2 of a job event: one JSON object, CloudEvents 1.0 structured mode. A member that is null
 * counts as left out, as the CloudEvents JSON format (section 2.2) has it.
 */
#include "base/jsontext.h"
#include "model/event_raw.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

/* Which attributes a whole number may stand for, and which may stand inside data. */
static const struct spelling {
	bool number, in_data;
} spellings[ATTR_COUNT] = {
        [ATTR_ID] = {.number = true},
        [ATTR_JOB] = {.number = true, .in_data = true},
        [ATTR_CUSTOMER] = {.number = true, .in_data = true},
};

/* CloudEvents' own words about the envelope: they say nothing about the job. */
static const char *const envelope[] = {"specversion", "datacontenttype", "dataschema"};

static json_t *member(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	return json_is_null(value) ? NULL : value;
}

static bool take(enum event_attr attr, const char *name, const json_t *value, struct arena *arena,
                 struct event_raw *raw, struct error *err)
{
	if (json_is_string(value)) {
		raw->attrs[attr] = arena_strndup(arena, json_string_value(value), json_string_length(value));
		return true;
	}
	if (json_is_integer(value) && spellings[attr].number) {
		raw->attrs[attr] = arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return true;
	}
	return error_set(err, EX_DATAERR, "%s is %s; %s is meant", name, jsontext_kind(value),
	                 spellings[attr].number ? "text or an integer" : "text");
}

/* The top level says it, else data, else (the job's id only) `subject`. */
static bool take_attr(enum event_attr attr, const json_t *event, struct arena *arena, struct event_raw *raw,
                      struct error *err)
{
	const char *name = event_attr_name(attr);
	json_t *value = member(event, name);
	if (value != NULL)
		return take(attr, name, value, arena, raw, err);
	json_t *subject = attr == ATTR_JOB ? member(event, "subject") : NULL;
	value = spellings[attr].in_data ? member(raw->data, name) : NULL;
	/* A data member of that name may be something else altogether while `subject` names the job. */
	if (value != NULL && (subject == NULL || json_is_string(value) || json_is_integer(value)))
		return take(attr, name, value, arena, raw, err);
	raw->subject_is_job |= subject != NULL;
	return subject == NULL || take(attr, "subject", subject, arena, raw, err);
}

static bool take_data(const json_t *event, struct event_raw *raw, struct error *err)
{
	json_t *data = member(event, "data");
	if (data != NULL && !json_is_object(data))
		return error_set(err, EX_DATAERR, "data is %s; an object is meant", jsontext_kind(data));
	raw->data = data != NULL ? json_incref(data) : json_object();
	return true;
}

static bool is_envelope(const char *name, bool subject_is_job)
{
	for (size_t i = 0; i < sizeof envelope / sizeof envelope[0]; i++)
		if (strcmp(envelope[i], name) == 0)
			return true;
	return strcmp(name, "data") == 0 || (subject_is_job && strcmp(name, "subject") == 0) ||
	       event_attr_find(name, strlen(name)) != ATTR_COUNT;
}

/* Extension attributes, and `scheduled` and `route` of a request: what data doesn't say itself is kept there.
 */
static void keep_extensions(json_t *event, struct event_raw *raw)
{
	const char *name;
	json_t *value;
	json_object_foreach(event, name, value) if (!is_envelope(name, raw->subject_is_job) &&
	                                            json_object_get(raw->data, name) == NULL)(void)
	        json_object_set(raw->data, name, value);
}

static bool read_event(json_t *event, struct arena *arena, struct event_raw *ret, struct error *err)
{
	if (!json_is_object(event))
		return error_set(err, EX_DATAERR, "the event is %s; a JSON object is meant",
		                 jsontext_kind(event));
	if (!take_data(event, ret, err))
		return false;
	for (enum event_attr attr = 0; attr < ATTR_COUNT; attr++)
		if (!take_attr(attr, event, arena, ret, err))
			return false;
	keep_extensions(event, ret);
	return true;
}

void event_raw_sketch_json(json_t *event, struct arena *arena, struct event_raw *ret)
{
	struct event_raw raw = {0};
	if (!take_data(event, &raw, NULL))
		raw.data = json_object();
	for (enum event_attr attr = 0; attr < ATTR_COUNT; attr++)
		(void)take_attr(attr, event, arena, &raw, NULL);
	json_decref(raw.data);
	raw.data = NULL;
	*ret = raw;
}

bool event_raw_value(json_t *event, struct arena *arena, struct event_raw *ret, struct error *err)
{
	*ret = (struct event_raw){0};
	if (read_event(event, arena, ret, err))
		return true;
	json_decref(ret->data);
	ret->data = NULL;
	return false;
}

bool event_raw_json(const char *text, size_t len, struct arena *arena, struct event_raw *ret,
                    struct error *err)
{
	*ret = (struct event_raw){0};
	json_t *event = jsontext_read(text, len, err);
	if (event == NULL)
		return error_prefix(err, "the event is not JSON");
	bool ok = event_raw_value(event, arena, ret, err);
	json_decref(event);
	return ok;
}
