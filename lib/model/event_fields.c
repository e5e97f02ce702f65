/* SPDX-License-Identifier: MIT */
/* Spelling 1 of a job event: each attribute is a field, and any other field goes into data as a
 * string. */
#include "base/jsontext.h"
#include "base/utf8.h"
#include "model/event_raw.h"

#include <string.h>
#include <sysexits.h>

static bool is_named(const struct entry_field *field, const char *name)
{
	return field->name_len == strlen(name) && memcmp(field->name, name, field->name_len) == 0;
}

static const struct entry_field *find(const struct entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->n_fields; i++)
		if (is_named(&entry->fields[i], name))
			return &entry->fields[i];
	return NULL;
}

static bool is_empty(const struct entry_field *field)
{
	return field == NULL || field->value_len == 0;
}

static json_t *read_json(const struct entry_field *field, struct error *err)
{
	json_t *data = jsontext_read_mended(field->value, field->value_len, NULL, NULL, err);
	if (data == NULL) {
		(void)error_prefix(err, "the field \"data\" is not the text of a JSON object");
		return NULL;
	}
	if (!json_is_object(data)) {
		(void)error_set(err, EX_DATAERR,
		                "the field \"data\" is %s in JSON; expected an object",
		                jsontext_kind(data));
		json_decref(data);
		return NULL;
	}
	return data;
}

/* An empty field is one left out: fields have no null. */
static json_t *read_data(const struct entry *entry, struct error *err)
{
	const struct entry_field *data = find(entry, "data"), *base64 = find(entry, "data_base64");
	if (!is_empty(data) && !is_empty(base64)) {
		(void)error_set(err, EX_DATAERR,
		                "data and data_base64 are both present; expected one");
		return NULL;
	}
	if (!is_empty(data))
		return read_json(data, err);
	if (!is_empty(base64))
		return event_data_decode(base64->value, base64->value_len, NULL, NULL, err);
	return json_object();
}

static const char *field_text(const struct entry *entry, const char *name, struct arena *arena)
{
	const struct entry_field *field = find(entry, name);
	return field != NULL ? arena_strndup(arena, field->value, field->value_len) : NULL;
}

/* `subject` names the job where `job` does not; otherwise it is a member of data like any other. */
static const struct entry_field *find_job(const struct entry *entry)
{
	const struct entry_field *job = find(entry, "job"), *subject = find(entry, "subject");
	if (is_empty(job) && !is_empty(subject))
		return subject;
	return job != NULL ? job : subject;
}

static enum event_attr attr_of(const struct entry_field *field, const struct entry_field *job)
{
	return field == job ? ATTR_JOB : event_attr_find(field->name, field->name_len);
}

static bool is_data(const struct entry_field *field)
{
	return is_named(field, "data") || is_named(field, "data_base64");
}

bool event_raw_fields(const struct entry *entry, struct arena *arena, struct event_raw *ret,
                      struct error *err)
{
	*ret = (struct event_raw){0};
	if (!event_envelope_check(field_text(entry, "specversion", arena),
	                          field_text(entry, "datacontenttype", arena), err))
		return false;
	ret->data = read_data(entry, err);
	if (ret->data == NULL)
		return false;
	const struct entry_field *job = find_job(entry);
	for (size_t i = 0; i < entry->n_fields; i++) {
		const struct entry_field *field = &entry->fields[i];
		enum event_attr attr = attr_of(field, job);
		if (attr == ATTR_COUNT && !is_data(field))
			event_raw_set(ret, field->name, field->name_len, field->value,
			              field->value_len, true);
		else if (attr != ATTR_COUNT && (attr != ATTR_JOB || field == job))
			ret->attrs[attr] = arena_strndup(arena, field->value, field->value_len);
	}
	return true;
}

/* A field counts where it is text as a whole; the first of two with one name. */
void event_raw_sketch_fields(const struct entry *entry, struct arena *arena, struct event_raw *ret)
{
	const struct entry_field *job = find_job(entry);
	*ret = (struct event_raw){0};
	for (size_t i = 0; i < entry->n_fields; i++) {
		const struct entry_field *field = &entry->fields[i];
		enum event_attr attr = attr_of(field, job);
		if (attr != ATTR_COUNT && (attr != ATTR_JOB || field == job) &&
		    ret->attrs[attr] == NULL && utf8_valid(field->value, field->value_len) &&
		    memchr(field->value, '\0', field->value_len) == NULL)
			ret->attrs[attr] = arena_strndup(arena, field->value, field->value_len);
	}
}
