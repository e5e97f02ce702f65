/* SPDX-License-Identifier: MIT */
/*
 * The raw form of an event, judged: one table row an attribute, one a type.
 *
 * The attributes are strict, the members of data are not: a notice is not lost because its driver's
 * name came as a number. A request's `scheduled` and `route` are strict, since the gate acts on
 * them.
 */
#include "base/jsontext.h"
#include "base/utf8.h"
#include "model/event_raw.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* What a row's taker needs besides the text. */
struct reading {
	const struct entry *entry;
	bool any_feed; /* dispatchctl's: it names no feed */
};

typedef bool attr_taker(const struct reading *reading, const char *text, struct job_event *event,
                        struct error *err);
static attr_taker take_type, take_time;

static const struct attr_row {
	const char *name;
	const char *otherwise; /* said after "is missing" for one that is needed; NULL for one that
	                          is not */
	size_t min, max;       /* bytes */
	size_t place;          /* of the text in struct job_event, for those without a taker */
	attr_taker *take;
} attr_rows[ATTR_COUNT] = {
        [ATTR_ID] = {.name = "id",
                     .otherwise = "it distinguishes one event of a source from another",
                     .min = 1,
                     .max = 128,
                     .place = offsetof(struct job_event, id)},
        [ATTR_SOURCE] = {.name = "source", .max = 256, .place = offsetof(struct job_event, source)},
        [ATTR_TYPE] = {.name = "type",
                       .otherwise = "it says what happened, such as job.completed",
                       .min = 1,
                       .max = 512,
                       .take = take_type},
        [ATTR_TIME] = {.name = "time", .max = 128, .take = take_time},
        [ATTR_JOB] = {.name = "job",
                      .otherwise = "it (or subject) names the job",
                      .min = 1,
                      .max = 128,
                      .place = offsetof(struct job_event, job)},
        [ATTR_CUSTOMER] = {.name = "customer",
                           .otherwise = "it is the number of the customer to notify",
                           .min = 1,
                           .max = 128,
                           .place = offsetof(struct job_event, customer)},
};

/* What a type may end in: that of a job's state, or of a request. */
struct type {
	const char *name;
	enum event_kind kind;
	enum job_state state;
};
static const struct type request_types[] = {
        {.name = "job.create", .kind = EVENT_ASK_CREATE, .state = JOB_NONE},
        {.name = "job.dispatch", .kind = EVENT_ASK_DISPATCH, .state = JOB_NONE},
};
enum {
	N_REQUESTS = sizeof request_types / sizeof request_types[0],
	N_TYPES = JOB_STATE_COUNT + N_REQUESTS,
};

static struct type type_at(int i)
{
	if (i >= JOB_STATE_COUNT)
		return request_types[i - JOB_STATE_COUNT];
	enum job_state state = (enum job_state)i;
	return (struct type){.name = job_state_type(state), .kind = EVENT_JOB, .state = state};
}

const char *event_attr_name(enum event_attr attr)
{
	return attr_rows[attr].name;
}

enum event_attr event_attr_find(const char *name, size_t len)
{
	for (enum event_attr attr = 0; attr < ATTR_COUNT; attr++)
		if (strlen(attr_rows[attr].name) == len &&
		    memcmp(attr_rows[attr].name, name, len) == 0)
			return attr;
	return ATTR_COUNT;
}

const char *event_type(const struct job_event *event)
{
	for (int i = 0; i < N_TYPES; i++)
		if (type_at(i).kind == event->kind && type_at(i).state == event->state)
			return type_at(i).name;
	bug("an event of kind %d and state %d", (int)event->kind, (int)event->state);
}

/* A reverse-DNS prefix: labels of letters, digits, "-" and "_", each followed by a dot; or
 * nothing. */
static bool is_prefix(const char *text, size_t len)
{
	static const char label[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (size_t i = 0; i < len;) {
		size_t n = strspn(text + i, label);
		if (n == 0 || i + n >= len || text[i + n] != '.')
			return false;
		i += n + 1;
	}
	return true;
}

static bool type_find(const char *text, struct type *ret)
{
	size_t len = strlen(text);
	for (int i = 0; i < N_TYPES; i++) {
		*ret = type_at(i);
		size_t n = strlen(ret->name);
		if (len >= n && strcmp(text + len - n, ret->name) == 0)
			return is_prefix(text, len - n);
	}
	return false;
}

const char *event_request_type(const char *text, enum event_kind *kind)
{
	struct type type;
	if (!type_find(text, &type) || type.kind == EVENT_JOB)
		return NULL;
	*kind = type.kind;
	return type.name;
}

/* Whether the type is in the stream that it belongs to. */
static bool check_feed(const struct reading *reading, const struct type *type, struct error *err)
{
	bool on_requests = reading->entry->feed == FEED_REQUESTS;
	bool is_request = type->kind != EVENT_JOB;
	if (reading->any_feed || on_requests == is_request)
		return true;
	if (on_requests)
		return error_set(err, EX_DATAERR,
		                 "type %s is a job event and belongs in the stream of job events; "
		                 "a request is job.create or job.dispatch",
		                 type->name);
	return error_set(
	        err, EX_DATAERR,
	        "type %s is a request and belongs in the stream of requests; a job event says "
	        "what has happened, such as job.dispatched",
	        type->name);
}

static bool take_type(const struct reading *reading, const char *text, struct job_event *event,
                      struct error *err)
{
	char quote[UTF8_QUOTE_MAX], types[JOB_STATES_TEXT_MAX];
	struct type type;
	if (!type_find(text, &type))
		return error_set(err, EX_DATAERR,
		                 "type \"%s\" is unknown; expected %s (for a request job.create or "
		                 "job.dispatch), optionally after a reverse-DNS prefix",
		                 utf8_quote(text, strlen(text), quote),
		                 job_states_join("job.", ", ", " or ", types));
	event->kind = type.kind;
	event->state = type.state;
	return check_feed(reading, &type, err);
}

static bool check_time(const char *name, const char *text, struct instant *ret, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	if (instant_parse(text, ret))
		return true;
	return error_set(err, EX_DATAERR,
	                 "%s \"%s\" is not RFC 3339; expected a time with an offset, such as "
	                 "2026-03-05T14:30:00-07:00",
	                 name, utf8_quote(text, strlen(text), quote));
}

static bool take_time(const struct reading *reading, const char *text, struct job_event *event,
                      struct error *err)
{
	(void)reading;
	return *text == '\0' || check_time("time", text, &event->time_published, err);
}

static bool check_attr(const struct attr_row *row, const char *text, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	size_t len = strlen(text);
	if (len < row->min)
		return error_set(err, EX_DATAERR, "%s is empty; expected 1 to %zu bytes", row->name,
		                 row->max);
	if (len > row->max)
		return error_set(err, EX_DATAERR, "%s has %zu bytes; expected at most %zu",
		                 row->name, len, row->max);
	if (utf8_has_control(text, len))
		return error_set(err, EX_DATAERR,
		                 "%s \"%s\" contains a control character; expected printable text",
		                 row->name, utf8_quote(text, len, quote));
	return true;
}

const char *event_raw_told(const struct event_raw *raw, enum event_attr attr)
{
	const char *text = raw->attrs[attr];
	if (text == NULL || !check_attr(&attr_rows[attr], text, NULL))
		return "";
	struct type type;
	return attr == ATTR_TYPE && type_find(text, &type) ? type.name : text;
}

static bool take_attr(const struct attr_row *row, const struct reading *reading, const char *text,
                      struct job_event *event, struct error *err)
{
	if (text == NULL && row->otherwise != NULL)
		return error_set(err, EX_DATAERR, "%s is missing; %s", row->name, row->otherwise);
	if (text == NULL)
		return true;
	if (!check_attr(row, text, err))
		return false;
	if (row->take != NULL)
		return row->take(reading, text, event, err);
	memcpy((char *)event + row->place, &text, sizeof text);
	return true;
}

struct instant entry_time(const struct entry *entry)
{
	enum { DIGITS_MAX = 15 };
	size_t digits = strspn(entry->id, "0123456789");
	if (digits == 0 || digits > DIGITS_MAX || entry->id[digits] != '-')
		return entry->received;
	return (struct instant){strtoll(entry->id, NULL, 10)};
}

static void settle_time(const struct entry *entry, struct job_event *event)
{
	event->time =
	        instant_is_none(event->time_published) ? entry_time(entry) : event->time_published;
	event->time_ahead =
	        instant_before(instant_add(entry->received, EVENT_AHEAD_MAX_MS), event->time);
	if (event->time_ahead)
		event->time = entry->received;
}

static bool check_data(const struct event_raw *raw, struct error *err)
{
	if (jsontext_depth(raw->data, EVENT_DATA_DEPTH) > EVENT_DATA_DEPTH)
		return error_set(err, EX_DATAERR, "data nests deeper than %d; expected at most %d",
		                 EVENT_DATA_DEPTH, EVENT_DATA_DEPTH);
	return true;
}

/* 1–64 of A-Z a-z 0-9 . _ - (contract, section 6). */
static bool route_valid(const char *route)
{
	static const char chars[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(route);
	return len >= 1 && len <= EVENT_ROUTE_MAX && strspn(route, chars) == len;
}

static bool check_route(const json_t *value, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	if (value == NULL || json_is_null(value) || json_is_integer(value))
		return true;
	if (!json_is_string(value))
		return error_set(err, EX_DATAERR, "route is %s; expected text",
		                 jsontext_kind(value));
	if (route_valid(json_string_value(value)))
		return true;
	return error_set(err, EX_DATAERR,
	                 "route \"%s\" is not a route; expected 1 to %d of A-Z a-z 0-9 . _ -",
	                 utf8_quote(json_string_value(value), json_string_length(value), quote),
	                 EVENT_ROUTE_MAX);
}

static bool check_scheduled(const json_t *value, struct error *err)
{
	struct instant ignored;
	if (value == NULL || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return error_set(err, EX_DATAERR, "scheduled is %s; expected text",
		                 jsontext_kind(value));
	return check_time("scheduled", json_string_value(value), &ignored, err);
}

static bool check_request(const struct job_event *event, const struct event_raw *raw,
                          struct error *err)
{
	if (event->kind == EVENT_JOB)
		return true;
	return check_scheduled(json_object_get(raw->data, "scheduled"), err) &&
	       check_route(json_object_get(raw->data, "route"), err);
}

bool event_check(const struct entry *entry, bool any_feed, const struct event_raw *raw,
                 struct job_event *ret, struct error *err)
{
	const struct reading reading = {.entry = entry, .any_feed = any_feed};
	*ret = (struct job_event){
	        .source = "", .time_published = INSTANT_NONE, .received = entry->received};
	for (enum event_attr attr = 0; attr < ATTR_COUNT; attr++)
		if (!take_attr(&attr_rows[attr], &reading, raw->attrs[attr], ret, err))
			return false;
	settle_time(entry, ret);
	return check_data(raw, err) && check_request(ret, raw, err);
}
