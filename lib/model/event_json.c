/* SPDX-License-Identifier: MIT */
/*
 * Spelling 2 of a job event: one JSON object, CloudEvents 1.0 structured mode. A member that is
 * null counts as left out, as the CloudEvents JSON format (section 2.2) has it.
 */
#include "base/jsontext.h"
#include "model/event_raw.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

/* Which attributes may be an integer, and which may be inside data. */
static const struct spelling {
	bool number, in_data;
} spellings[ATTR_COUNT] = {
        [ATTR_ID] = {.number = true},
        [ATTR_JOB] = {.number = true, .in_data = true},
        [ATTR_CUSTOMER] = {.number = true, .in_data = true},
};

/* CloudEvents' own words about the envelope: they say nothing about the job. */
static const char *const envelope[] = {"specversion", "datacontenttype", "dataschema",
                                       "data_base64"};

static json_t *member(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	return json_is_null(value) ? NULL : value;
}

static bool is_empty(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) == 0;
}

/* A place where an attribute may be. */
struct place {
	const char *name;
	json_t *value; /* NULL: left out */
	bool mended;   /* it held what text can't hold */
};

static bool take_member(enum event_attr attr, const struct place *place, struct arena *arena,
                        struct event_raw *raw, struct error *err)
{
	const json_t *value = place->value;
	if (place->mended)
		return error_set(err, EX_DATAERR,
		                 "%s holds \\u0000 or half a surrogate pair, which JSON allows and "
		                 "plain text can't hold",
		                 place->name);
	if (json_is_string(value)) {
		raw->attrs[attr] =
		        arena_strndup(arena, json_string_value(value), json_string_length(value));
		return true;
	}
	if (json_is_integer(value) && spellings[attr].number) {
		raw->attrs[attr] =
		        arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return true;
	}
	return error_set(err, EX_DATAERR, "%s is %s; expected %s", place->name,
	                 jsontext_kind(value),
	                 spellings[attr].number ? "text or an integer" : "text");
}

enum { SUBJECT_BIT = ATTR_COUNT };

static bool is_mended(unsigned bits, int bit)
{
	return (bits & 1U << bit) != 0;
}

/* A data member of that name may be something else altogether while `subject` names the job. */
static bool is_usable(const struct place *place)
{
	return !place->mended && (json_is_string(place->value) || json_is_integer(place->value));
}

/*
 * The top level has it, else data, else (the job's id only) `subject`. An empty text doesn't count
 * while there is another place.
 */
static bool take_attr(enum event_attr attr, const json_t *event, const struct event_mends *mends,
                      struct arena *arena, struct event_raw *raw, struct error *err)
{
	enum { TOP, DATA, SUBJECT, PLACES };
	const char *name = event_attr_name(attr);
	json_t *subject = attr == ATTR_JOB ? member(event, "subject") : NULL;
	struct place places[PLACES] = {
	        [TOP] = {name, member(event, name), is_mended(mends->top, (int)attr)},
	        [DATA] = {name, spellings[attr].in_data ? member(raw->data, name) : NULL,
	                  is_mended(mends->in_data, (int)attr)},
	        [SUBJECT] = {"subject", subject, is_mended(mends->top, SUBJECT_BIT)},
	};
	if (subject != NULL && !is_usable(&places[DATA]))
		places[DATA].value = NULL;
	int found = PLACES;
	for (int i = PLACES - 1; i >= 0; i--)
		if (places[i].value != NULL && (found == PLACES || !is_empty(places[i].value) ||
		                                is_empty(places[found].value)))
			found = i;
	raw->subject_is_job |= found == SUBJECT;
	return found == PLACES || take_member(attr, &places[found], arena, raw, err);
}

/* ---- data */

static enum event_attr attr_named(const char *name)
{
	return strcmp(name, "subject") == 0 ? ATTR_COUNT : event_attr_find(name, strlen(name));
}

static unsigned bit_of(const char *name)
{
	bool known = strcmp(name, "subject") == 0 || attr_named(name) != ATTR_COUNT;
	return known ? 1U << attr_named(name) : 0;
}

void event_mended(void *arg, const char *const path[], size_t depth)
{
	struct event_mends *mends = arg;
	const char *const *inner = path + mends->above;
	if (depth == mends->above + 1)
		mends->top |= bit_of(inner[0]);
	else if (depth == mends->above + 2 && strcmp(inner[0], "data") == 0)
		mends->in_data |= bit_of(inner[1]);
}

static void data_mended(void *arg, const char *const path[], size_t depth)
{
	struct event_mends *mends = arg;
	if (depth == 1)
		mends->in_data |= bit_of(path[0]);
}

static json_t *read_base64(const json_t *base64, struct event_mends *mends, struct error *err)
{
	if (json_is_string(base64))
		return event_data_decode(json_string_value(base64), json_string_length(base64),
		                         data_mended, mends, err);
	(void)error_set(err, EX_DATAERR, "data_base64 is %s; expected text", jsontext_kind(base64));
	return NULL;
}

/* A reference of the caller's; NULL on a fault. */
static json_t *read_data(const json_t *event, struct event_mends *mends, struct error *err)
{
	json_t *data = member(event, "data"), *base64 = member(event, "data_base64");
	if (data != NULL && base64 != NULL)
		(void)error_set(err, EX_DATAERR,
		                "data and data_base64 are both present; expected one");
	else if (base64 != NULL && !is_empty(base64))
		return read_base64(base64, mends, err);
	else if (data == NULL)
		return json_object();
	else if (json_is_object(data))
		return json_incref(data);
	else
		(void)error_set(err, EX_DATAERR, "data is %s; expected an object",
		                jsontext_kind(data));
	return NULL;
}

static bool is_envelope(const char *name, bool subject_is_job)
{
	for (size_t i = 0; i < sizeof envelope / sizeof envelope[0]; i++)
		if (strcmp(envelope[i], name) == 0)
			return true;
	return strcmp(name, "data") == 0 || (subject_is_job && strcmp(name, "subject") == 0) ||
	       event_attr_find(name, strlen(name)) != ATTR_COUNT;
}

/* Extension attributes, and `scheduled` and `route` of a request: what data doesn't say itself is
 * kept there. */
static void keep_extensions(json_t *event, struct event_raw *raw)
{
	const char *name;
	json_t *value;
	json_object_foreach(event, name, value) if (!is_envelope(name, raw->subject_is_job) &&
	                                            json_object_get(raw->data, name) == NULL)(void)
	        json_object_set(raw->data, name, value);
}

/* An attribute of the envelope as text, in the arena: anything but a string as JSON writes it. NULL
 * where left out. */
static const char *envelope_text(const json_t *event, const char *name, struct arena *arena)
{
	const json_t *value = member(event, name);
	struct buf text = {0};
	if (json_is_string(value))
		return arena_strdup(arena, json_string_value(value));
	if (value == NULL)
		return NULL;
	jsontext_write(&text, value, JSONTEXT_AS_IS);
	const char *copy = arena_strndup(arena, text.data, text.len);
	buf_free(&text);
	return copy;
}

static bool read_event(json_t *event, const struct event_mends *found, struct arena *arena,
                       struct event_raw *ret, struct error *err)
{
	struct event_mends mends = found != NULL ? *found : (struct event_mends){0};
	if (!json_is_object(event))
		return error_set(err, EX_DATAERR, "the event is %s; expected a JSON object",
		                 jsontext_kind(event));
	if (!event_envelope_check(envelope_text(event, "specversion", arena),
	                          envelope_text(event, "datacontenttype", arena), err))
		return false;
	ret->data = read_data(event, &mends, err);
	if (ret->data == NULL)
		return false;
	for (enum event_attr attr = 0; attr < ATTR_COUNT; attr++)
		if (!take_attr(attr, event, &mends, arena, ret, err))
			return false;
	keep_extensions(event, ret);
	return true;
}

void event_raw_sketch_json(json_t *event, const struct event_mends *found, struct arena *arena,
                           struct event_raw *ret)
{
	struct event_raw raw = {0};
	struct event_mends mends = *found;
	raw.data = read_data(event, &mends, NULL);
	if (raw.data == NULL)
		raw.data = json_object();
	for (enum event_attr attr = 0; attr < ATTR_COUNT; attr++)
		(void)take_attr(attr, event, &mends, arena, &raw, NULL);
	json_decref(raw.data);
	raw.data = NULL;
	*ret = raw;
}

bool event_raw_value(json_t *event, const struct event_mends *mends, struct arena *arena,
                     struct event_raw *ret, struct error *err)
{
	*ret = (struct event_raw){0};
	if (read_event(event, mends, arena, ret, err))
		return true;
	json_decref(ret->data);
	ret->data = NULL;
	return false;
}

bool event_raw_json(const char *text, size_t len, struct arena *arena, struct event_raw *ret,
                    struct error *err)
{
	*ret = (struct event_raw){0};
	struct event_mends mends = {0};
	json_t *event = jsontext_read_mended(text, len, event_mended, &mends, err);
	if (event == NULL)
		return error_prefix(err, "the event is not JSON");
	bool ok = event_raw_value(event, &mends, arena, ret, err);
	json_decref(event);
	return ok;
}
