/* SPDX-License-Identifier: MIT */
#ifndef MODEL_EVENT_RAW_H
#define MODEL_EVENT_RAW_H

#include "base/jsontext.h"
#include "model/event.h"

#include <jansson.h>
#include <stddef.h>

/*
 * What an entry holds, whichever way it was spelled, before anything of it is judged. Private to
 * model/event*.c: event_fields.c and event_json.c fill it, event_check.c makes an event of it;
 * event_sketch.c reads what it can of an entry for which that fails.
 *
 *   fields ──▶ event_fields.c ──┐
 *                               ├──▶ struct event_raw ──▶ event_check.c ──▶ struct job_event
 *   JSON ────▶ event_json.c ────┘
 */
enum event_attr { ATTR_ID, ATTR_SOURCE, ATTR_TYPE, ATTR_TIME, ATTR_JOB, ATTR_CUSTOMER, ATTR_COUNT };

struct event_raw {
	const char *attrs[ATTR_COUNT]; /* in the arena; NULL where left out */
	bool subject_is_job;           /* so that it is not kept in data as well */
	json_t *data; /* an object, the caller's to release; NULL where a reader failed */
};

/* The field of spelling 2; NULL where the entry is spelling 1. */
const struct entry_field *event_field(const struct entry *entry);

const char *event_attr_name(enum event_attr attr);
enum event_attr event_attr_find(const char *name, size_t len); /* ATTR_COUNT where it is none */

/* Spelling 1: names are each there once, all is UTF-8 (event.c sees to that before). */
bool event_raw_fields(const struct entry *entry, struct arena *arena, struct event_raw *ret,
                      struct error *err) MUST_CHECK;

/* Spelling 2, and the same once it is parsed: `event` stays the caller's. */
bool event_raw_json(const char *text, size_t len, struct arena *arena, struct event_raw *ret,
                    struct error *err) MUST_CHECK;

bool event_raw_value(json_t *event, const struct event_mends *mends, struct arena *arena,
                     struct event_raw *ret, struct error *err) MUST_CHECK;

/* Whether we can read an event of this version and its data; NULL and "" mean left out. */
bool event_envelope_check(const char *specversion, const char *datacontenttype,
                          struct error *err) MUST_CHECK;

/* The JSON object in base64 (blanks and line breaks are skipped, padding may be left out); the
 * caller's to release. NULL where there is none. `mended` as in jsontext_read_mended(). */
json_t *event_data_decode(const char *base64, size_t len, jsontext_mended *mended, void *arg,
                          struct error *err) MUST_CHECK;

/* Those attributes of either spelling that can be made out, of an entry of which nothing is sure;
 * `data` stays NULL. */
void event_raw_sketch_fields(const struct entry *entry, struct arena *arena, struct event_raw *ret);
void event_raw_sketch_json(json_t *event, const struct event_mends *mends, struct arena *arena,
                           struct event_raw *ret);

/* An attribute that keeps its limits, else "". */
const char *event_raw_told(const struct event_raw *raw, enum event_attr attr);

/* A data member from text; does nothing where there is one and `replace` is false. */
void event_raw_set(struct event_raw *raw, const char *name, size_t name_len, const char *value,
                   size_t value_len, bool replace);

/*
 * Judges the raw form and fills all of an event but `data` and `entry_id`; its texts are those of
 * `raw`. `any_feed`: a type of either feed is taken, as dispatchctl's entries come from none.
 */
bool event_check(const struct entry *entry, bool any_feed, const struct event_raw *raw,
                 struct job_event *ret, struct error *err) MUST_CHECK;

#endif
