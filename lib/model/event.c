/* SPDX-License-Identifier: MIT */
/*
 * Rule 1 of the contract: is the entry well formed? What holds for every entry is asked here; then
 * two readers (event_fields.c, event_json.c) bring either spelling to one raw form, and
 * event_check.c judges that. The engine calls this for every entry, dispatchctl for `explain`.
 */
#include "model/event.h"

#include "base/digest.h"
#include "base/jsontext.h"
#include "base/utf8.h"
#include "model/event_raw.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static bool check_size(size_t size, size_t max_size, struct error *err)
{
	if (size <= max_size)
		return true;
	return error_set(err, EX_DATAERR, "the entry has %zu bytes; expected at most %zu", size,
	                 max_size);
}

/* An item of a list or a message is all that it is: nobody wrote the name of its one field. */
static size_t entry_size(const struct entry *entry)
{
	size_t size = 0;
	if (!*entry->id && entry->n_fields == 1)
		return entry->fields[0].value_len;
	for (size_t i = 0; i < entry->n_fields; i++)
		size += entry->fields[i].name_len + entry->fields[i].value_len;
	return size;
}

/* UTF-8 without NUL: a NUL would cut the text short for everything behind us. */
static bool is_text(const char *text, size_t len)
{
	return utf8_valid(text, len) && memchr(text, '\0', len) == NULL;
}

static bool check_texts(const struct entry *entry, struct error *err)
{
	for (size_t i = 0; i < entry->n_fields; i++) {
		const struct entry_field *field = &entry->fields[i];
		char quote[UTF8_QUOTE_MAX];
		(void)utf8_quote(field->name, field->name_len, quote);
		if (!is_text(field->name, field->name_len))
			return error_set(err, EX_DATAERR,
			                 "a field's name, \"%s\", is not UTF-8 text", quote);
		if (!is_text(field->value, field->value_len))
			return error_set(err, EX_DATAERR, "the field \"%s\" is not UTF-8 text",
			                 quote);
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct entry_field *one = *(const struct entry_field *const *)a;
	const struct entry_field *two = *(const struct entry_field *const *)b;
	size_t len = one->name_len < two->name_len ? one->name_len : two->name_len;
	int order = memcmp(one->name, two->name, len);
	return order != 0 ? order
	                  : (one->name_len > two->name_len) - (one->name_len < two->name_len);
}

/* Sorted, since anybody may send many thousand fields. */
static bool check_names_differ(const struct entry *entry, struct arena *arena, struct error *err)
{
	const struct entry_field **sorted =
	        arena_new_array(arena, entry->n_fields + 1, const struct entry_field *);
	for (size_t i = 0; i < entry->n_fields; i++)
		sorted[i] = &entry->fields[i];
	qsort(sorted, entry->n_fields, sizeof *sorted, by_name);
	for (size_t i = 1; i < entry->n_fields; i++) {
		char quote[UTF8_QUOTE_MAX];
		if (by_name(&sorted[i - 1], &sorted[i]) == 0)
			return error_set(err, EX_DATAERR, "the field \"%s\" appears twice",
			                 utf8_quote(sorted[i]->name, sorted[i]->name_len, quote));
	}
	return true;
}

/*
 * A field beside `event`, as a bridge may add one for its traces, is kept in data where data has no
 * such member. It never overrules: the event is what the one field says.
 */
static bool read_structured(const struct entry *entry, const struct entry_field *field,
                            struct arena *arena, struct event_raw *raw, struct error *err)
{
	if (!event_raw_json(field->value, field->value_len, arena, raw, err))
		return false;
	for (size_t i = 0; i < entry->n_fields; i++)
		if (&entry->fields[i] != field)
			event_raw_set(raw, entry->fields[i].name, entry->fields[i].name_len,
			              entry->fields[i].value, entry->fields[i].value_len, false);
	return true;
}

static char *data_text(const json_t *data, struct arena *arena)
{
	struct buf text = {0};
	jsontext_write(&text, data, JSONTEXT_AS_IS);
	char *copy = arena_strndup(arena, text.data, text.len);
	buf_free(&text);
	return copy;
}

/* Judges the raw form and ends its data. */
static bool finish(const struct entry *entry, bool any_feed, struct event_raw *raw,
                   struct arena *arena, struct job_event *ret, struct error *err)
{
	struct job_event event;
	bool ok = event_check(entry, any_feed, raw, &event, err);
	if (ok) {
		event.entry_id = arena_strdup(arena, entry->id);
		event.data = data_text(raw->data, arena);
		*ret = event;
	}
	json_decref(raw->data);
	raw->data = NULL;
	return ok;
}

bool event_read(const struct entry *entry, size_t max_size, struct arena *arena,
                struct job_event *ret, struct error *err)
{
	struct event_raw raw = {0};
	if (!check_size(entry_size(entry), max_size, err) || !check_texts(entry, err) ||
	    !check_names_differ(entry, arena, err))
		return false;
	const struct entry_field *field = event_field(entry);
	bool ok = field != NULL ? read_structured(entry, field, arena, &raw, err)
	                        : event_raw_fields(entry, arena, &raw, err);
	return ok && finish(entry, false, &raw, arena, ret, err);
}

bool event_read_json(const char *json, size_t len, struct instant received, size_t max_size,
                     struct arena *arena, struct job_event *ret, struct error *err)
{
	const struct entry entry = {.id = "", .received = received};
	struct event_raw raw = {0};
	if (!check_size(len, max_size, err))
		return false;
	if (!is_text(json, len))
		return error_set(err, EX_DATAERR, "the event is not UTF-8 text");
	return event_raw_json(json, len, arena, &raw, err) &&
	       finish(&entry, true, &raw, arena, ret, err);
}

bool event_read_value(json_t *json, const struct event_mends *mends, struct instant received,
                      size_t max_size, struct arena *arena, struct job_event *ret,
                      struct error *err)
{
	const struct entry entry = {.id = "", .received = received};
	struct event_raw raw = {0};
	size_t size = json_dumpb(json, NULL, 0, JSON_COMPACT);
	return check_size(size, max_size, err) && event_raw_value(json, mends, arena, &raw, err) &&
	       finish(&entry, true, &raw, arena, ret, err);
}

/* data was read once already, so that a fault in it is ours. */
static json_t *data_of(const struct job_event *event)
{
	struct error err;
	json_t *data = jsontext_read(event->data, strlen(event->data), &err);
	if (!json_is_object(data))
		bug("an event's data is not an object");
	return data;
}

const char *event_data_text(const struct job_event *event, const char *member, struct arena *arena)
{
	json_t *data = data_of(event);
	const json_t *value = json_object_get(data, member);
	const char *text = NULL;
	if (json_is_string(value))
		text = arena_strdup(arena, json_string_value(value));
	else if (value != NULL && !json_is_null(value))
		text = data_text(value, arena);
	json_decref(data);
	return text != NULL ? text : "";
}

bool event_scheduled(const struct job_event *event, struct instant *ret)
{
	json_t *data = data_of(event);
	const char *text = json_string_value(json_object_get(data, "scheduled"));
	bool ok = text != NULL && instant_parse(text, ret);
	json_decref(data);
	return ok;
}

void event_digest(const struct job_event *event, unsigned char digest[EVENT_DIGEST_SIZE])
{
	crypto_generichash_state state;
	(void)crypto_generichash_init(&state, NULL, 0, EVENT_DIGEST_SIZE);
	const char *const texts[] = {event_type(event), event->id, event->source, event->job,
	                             event->named ? event->named : event->customer};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		digest_part(&state, texts[i], strlen(texts[i]));
	/* As it was given, not as it was read: a time left out is another one at every
	 * arrival. */
	digest_part(&state, &event->time_published.ms, sizeof event->time_published.ms);
	struct buf sorted = {0};
	if (!jsontext_sort(&sorted, event->data)) {
		json_t *data = data_of(event);
		jsontext_write(&sorted, data, JSONTEXT_SORTED);
		json_decref(data);
	}
	digest_part(&state, sorted.data, sorted.len);
	buf_free(&sorted);
	(void)crypto_generichash_final(&state, digest, EVENT_DIGEST_SIZE);
}
