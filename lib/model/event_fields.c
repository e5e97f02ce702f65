/* SPDX-License-Identifier: MIT */
/* Spelling 1 of a job event: each attribute is a field, and what is none goes into data as a string. */
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

static json_t *read_data(const struct entry_field *field, struct error *err)
{
	if (field == NULL)
		return json_object();
	json_t *data = jsontext_read(field->value, field->value_len, err);
	if (data == NULL) {
		(void)error_prefix(err, "the field \"data\" is not the text of a JSON object");
		return NULL;
	}
	if (!json_is_object(data)) {
		(void)error_set(err, EX_DATAERR, "the field \"data\" is %s in JSON; an object is meant",
		                jsontext_kind(data));
		json_decref(data);
		return NULL;
	}
	return data;
}

/* `subject` names the job where `job` does not; otherwise it is a member of data like any other. */
static enum event_attr attr_of(const struct entry_field *field, bool has_job)
{
	if (!has_job && is_named(field, "subject"))
		return ATTR_JOB;
	return event_attr_find(field->name, field->name_len);
}

bool event_raw_fields(const struct entry *entry, struct arena *arena, struct event_raw *ret,
                      struct error *err)
{
	*ret = (struct event_raw){.data = read_data(find(entry, "data"), err)};
	if (ret->data == NULL)
		return false;
	bool has_job = find(entry, "job") != NULL;
	for (size_t i = 0; i < entry->n_fields; i++) {
		const struct entry_field *field = &entry->fields[i];
		enum event_attr attr = attr_of(field, has_job);
		if (attr != ATTR_COUNT)
			ret->attrs[attr] = arena_strndup(arena, field->value, field->value_len);
		else if (!is_named(field, "data"))
			event_raw_set(ret, field->name, field->name_len, field->value, field->value_len,
			              true);
	}
	return true;
}

/* A field counts where it is text as a whole; the first of two with one name. */
void event_raw_sketch_fields(const struct entry *entry, struct arena *arena, struct event_raw *ret)
{
	bool has_job = find(entry, "job") != NULL;
	*ret = (struct event_raw){0};
	for (size_t i = 0; i < entry->n_fields; i++) {
		const struct entry_field *field = &entry->fields[i];
		enum event_attr attr = attr_of(field, has_job);
		if (attr != ATTR_COUNT && ret->attrs[attr] == NULL &&
		    utf8_valid(field->value, field->value_len) &&
		    memchr(field->value, '\0', field->value_len) == NULL)
			ret->attrs[attr] = arena_strndup(arena, field->value, field->value_len);
	}
}
