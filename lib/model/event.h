/* SPDX-License-Identifier: MIT */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include "base/error.h"
#include "base/instant.h"
#include "base/mem.h"
#include "model/words.h"

#include <jansson.h>
#include <stddef.h>

/* Where an entry came from: what acknowledges it and which feed it belongs to. */
enum entry_feed { FEED_EVENTS, FEED_REQUESTS, FEED_CUSTOMERS };

struct entry_field {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* An entry as it came from Redis, nothing checked. List items and channel messages have one field
 * `event`. */
struct entry {
	enum entry_feed feed;
	const char *id; /* the stream entry's, "" for lists and channels */
	const struct entry_field *fields;
	size_t n_fields;
	struct instant received;
	bool unread; /* too large to be read: it has no fields here */
	bool left;   /* a list's item that an earlier process had read and may have decided */
};

/* When it was published: the milliseconds of a stream entry's id (`1700000000000-0`), else when it
 * was received. */
struct instant entry_time(const struct entry *entry);

/* What an entry asks for or reports. */
enum event_kind { EVENT_JOB, EVENT_ASK_CREATE, EVENT_ASK_DISPATCH };

/*
 * A job event, or a request to the gate (contract, sections 2 and 6). All texts are valid UTF-8 and
 * live in the arena that event_read() was given.
 */
struct job_event {
	enum event_kind kind;
	enum job_state state; /* what the type says; JOB_NONE for a request */
	const char *id;       /* 1–128 bytes */
	const char *source;   /* "" where left out */
	const char *job;      /* 1–128 bytes */
	const char *customer; /* never empty */
	const char *named;    /* the customer's number as published, if an old one; else NULL */
	struct instant time;  /* when the state changed; of receipt where that is too far ahead */
	struct instant time_published; /* the attribute `time`; INSTANT_NONE where left out */
	struct instant received;
	bool time_ahead;      /* the time is more than 10 minutes after receipt */
	const char *data;     /* a JSON object, compact; "{}" where there was none */
	const char *entry_id; /* as in struct entry */
};

enum { EVENT_AHEAD_MAX_MS = 10 * 60 * 1000, EVENT_DATA_DEPTH = 32, EVENT_ROUTE_MAX = 64 };

/*
 * Reads an entry in either spelling. False where it breaks a rule: `err->text` is then the sentence
 * for `dead_detail`, and says which attribute and what was expected. `max_size` is `[redis]
 * max_event_size`, the sum of the lengths of all names and values (of a list's item or a message
 * its length).
 */
bool event_read(const struct entry *entry, size_t max_size, struct arena *arena,
                struct job_event *ret, struct error *err) MUST_CHECK;

/* The same from JSON text (spelling 2), for dispatchctl; takes job events and requests alike. */
bool event_read_json(const char *json, size_t len, struct instant received, size_t max_size,
                     struct arena *arena, struct job_event *ret, struct error *err) MUST_CHECK;

/*
 * What jsontext_read_mended() had to change in an event's text: data may be mended, an attribute
 * may not. `above` is how many containers enclose the event in that text, 0 or 1.
 */
struct event_mends {
	size_t above;
	unsigned top, in_data; /* a bit for each attribute, private to model/event*.c */
};
/* A jsontext_mended; `arg` is a struct event_mends. */
void event_mended(void *arg, const char *const path[], size_t depth);

/* The same from a value that jsontext_read_mended() made with these `mends`; it stays the caller's.
 * Its size is that of its text without blanks. */
bool event_read_value(json_t *json, const struct event_mends *mends, struct instant received,
                      size_t max_size, struct arena *arena, struct job_event *ret,
                      struct error *err) MUST_CHECK;

/*
 * What an entry that breaks a rule of form contains all the same: each attribute as it was written,
 * or "" where it is left out, in the way of its own limits, or can't be made out. Texts live in the
 * arena.
 */
struct event_sketch {
	const char *id, *source, *job, *customer;
	const char *type; /* without its prefix where it is one that is known */
};
void event_sketch(const struct entry *entry, struct arena *arena, struct event_sketch *ret);

/* "job.completed", "job.create", … */
const char *event_type(const struct job_event *event);

/* The type of a request as somebody spelled it, without its prefix; NULL (`kind` untouched) where
 * it is none. */
const char *event_request_type(const char *text, enum event_kind *kind);

/*
 * A member of data as text, in the arena: a string as it is, anything else as JSON writes it, ""
 * where it is missing or null.
 */
const char *event_data_text(const struct job_event *event, const char *member, struct arena *arena);

/* The member `scheduled` of data; false (untouched) where it is missing or no RFC 3339, which a
 * request's never is. */
bool event_scheduled(const struct job_event *event, struct instant *ret);

/* A digest of all that was published, to distinguish a duplicate with other content from an equal
 * one. */
enum { EVENT_DIGEST_SIZE = 16 };
void event_digest(const struct job_event *event, unsigned char digest[EVENT_DIGEST_SIZE]);

#endif
