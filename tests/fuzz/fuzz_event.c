/* SPDX-License-Identifier: MIT */
/*
 * An entry from anybody, in either spelling: the first byte chooses the feed and the spelling, the
 * rest is JSON or "name\0value\0…". What is taken must hold what event.h promises, and read again
 * alike.
 */
#include "base/utf8.h"
#include "model/event.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FIELDS_MAX = 16, MAX_SIZE = 64 * 1024 };
static const struct instant received = {INT64_C(1772000000000)};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_name(const char *text)
{
	size_t len = strlen(text);
	return len >= 1 && len <= 128 && utf8_valid(text, len) && !utf8_has_control(text, len);
}

static void check(const struct job_event *event, struct arena *arena)
{
	must(is_name(event->id) && is_name(event->job) && is_name(event->customer));
	must(strlen(event->source) <= 256 &&
	     !utf8_has_control(event->source, strlen(event->source)));
	must(event->time.ms <= received.ms + EVENT_AHEAD_MAX_MS);
	must(event->data[0] == '{' && utf8_valid(event->data, strlen(event->data)));
	unsigned char one[EVENT_DIGEST_SIZE], two[EVENT_DIGEST_SIZE];
	event_digest(event, one);
	event_digest(event, two);
	must(memcmp(one, two, sizeof one) == 0);
	struct instant scheduled;
	must(event->kind == EVENT_JOB || event_data_text(event, "scheduled", arena)[0] == '\0' ||
	     event_scheduled(event, &scheduled));
}

static size_t split(const char *text, size_t len, struct entry_field fields[FIELDS_MAX])
{
	size_t n = 0;
	const char *end = text + len;
	while (n < FIELDS_MAX && text < end) {
		const char *name_end = memchr(text, '\0', (size_t)(end - text));
		if (name_end == NULL)
			break;
		const char *value = name_end + 1;
		const char *value_end =
		        value < end ? memchr(value, '\0', (size_t)(end - value)) : NULL;
		if (value_end == NULL)
			value_end = end;
		fields[n++] = (struct entry_field){text, (size_t)(name_end - text), value,
		                                   (size_t)(value_end - value)};
		text = value_end < end ? value_end + 1 : end;
	}
	return n;
}

static void must_be_text(const char *text)
{
	must(utf8_valid(text, strlen(text)) && !utf8_has_control(text, strlen(text)));
}

/* What is told of a rejected entry is what an event of it would say. */
static void check_sketch(const struct entry *entry, const struct job_event *event,
                         struct arena *arena)
{
	struct event_sketch said;
	event_sketch(entry, arena, &said);
	const char *const texts[] = {said.id, said.source, said.job, said.customer, said.type};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		must_be_text(texts[i]);
	must(event == NULL ||
	     (strcmp(said.id, event->id) == 0 && strcmp(said.source, event->source) == 0 &&
	      strcmp(said.job, event->job) == 0 && strcmp(said.customer, event->customer) == 0 &&
	      strcmp(said.type, event_type(event)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *arena = arena_new();
	struct entry_field fields[FIELDS_MAX] = {{.name = "event",
	                                          .name_len = 5,
	                                          .value = (const char *)bytes + 1,
	                                          .value_len = size - 1}};
	struct entry entry = {.feed = bytes[0] & 1 ? FEED_REQUESTS : FEED_EVENTS,
	                      .id = bytes[0] & 4 ? "1772000000000-0" : "",
	                      .fields = fields,
	                      .n_fields = 1,
	                      .received = received};
	if (bytes[0] & 2)
		entry.n_fields = split((const char *)bytes + 1, size - 1, fields);
	struct job_event event;
	struct error err = {0};
	bool ok = event_read(&entry, MAX_SIZE, arena, &event, &err);
	check_sketch(&entry, ok ? &event : NULL, arena);
	if (ok)
		check(&event, arena);
	else
		must(err.code != 0 && err.text[0] != '\0' &&
		     utf8_valid(err.text, strlen(err.text)) &&
		     !utf8_has_control(err.text, strlen(err.text)));
	(void)arena_free(arena);
	return 0;
}
