/* SPDX-License-Identifier: MIT */
/* Records as rows of a table, by the kinds' table. */
#include "center/pages/cells.h"

#include "center/pages/labels.h"
#include "center/pages/when.h"
#include "center/pages/words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 100 };

static const char *joined(const struct call *call, const char *text, const char *more)
{
	return text ? arena_printf(call->request->arena, "%s, %s", text, more) : more;
}

/* Words with commas; of an object each member with its name ("mon 07:00-12:00"). */
static const char *many_text(const struct call *call, const json_t *value)
{
	const char *text = NULL, *name;
	json_t *member;
	size_t i;
	json_array_foreach(value, i, member)
	{
		const char *word = cells_text(call, member);
		text = joined(call, text, word ? word : "");
	}
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		const char *word = cells_text(call, member);
		text = joined(call, text,
		              arena_printf(call->request->arena, "%s %s", name, word ? word : ""));
	}
	return text;
}

const char *cells_text(const struct call *call, const json_t *value)
{
	struct arena *arena = call->request->arena;
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return *json_string_value(value) != '\0'
		               ? when_words(call, json_string_value(value))
		               : NULL;
	case JSON_INTEGER:
		return arena_printf(arena, "%lld", (long long)json_integer_value(value));
	case JSON_REAL:
		return arena_printf(arena, "%.10g", json_real_value(value));
	case JSON_TRUE:
		return words(call, "yes");
	case JSON_FALSE:
		return words(call, "no");
	case JSON_ARRAY:
	case JSON_OBJECT:
		return many_text(call, value);
	case JSON_NULL:
		break;
	}
	return NULL;
}

/* Words with commas, of a list of fixed ones. */
static const char *fixed_text(const struct call *call, const json_t *list)
{
	const char *text = NULL;
	size_t i;
	const json_t *word;
	json_array_foreach(list, i, word)
	{
		text = joined(call, text, words_fixed(call, json_string_value(word)));
	}
	return text;
}

const char *cells_field_text(const struct call *call, const struct field *field,
                             const json_t *value)
{
	if (field->type == FIELD_CHOICE && json_is_string(value))
		return words_fixed(call, json_string_value(value));
	if (json_is_array(value) && (field->type == FIELD_STATES || field->type == FIELD_SCOPES))
		return fixed_text(call, value);
	return cells_text(call, value);
}

const char *cells_dial(const struct call *call, const char *phone)
{
	char *text = arena_strdup(call->request->arena, phone), *to = text;
	for (const char *c = phone; *c != '\0'; c++)
		if (isdigit((unsigned char)*c) || (*c == '+' && to == text))
			*to++ = *c;
	*to = '\0';
	return text;
}

static json_t *cell_of(const struct call *call, const struct field *field, const json_t *value)
{
	const char *text = cells_field_text(call, field, value);
	if (text && field->type == FIELD_EMAIL)
		return json_pack("{s:s}", "mail", text);
	if (text && field->type == FIELD_PHONE)
		return json_pack("{s:s, s:s}", "phone", text, "dial", cells_dial(call, text));
	return json_pack("{s:s}", "text", text ? text : "");
}

/* A flag that nobody set says nothing. */
static bool any_has(const json_t *records, const char *name)
{
	size_t i;
	const json_t *record;
	json_array_foreach(records, i, record)
	{
		const json_t *value = json_object_get(record, name);
		if (value && !json_is_null(value) && !json_is_false(value))
			return true;
	}
	return false;
}

/* Fields that the office defined, of a system. */
static void add_own_fields(const struct call *call, const json_t *record, json_t *cells)
{
	const char *name, *text = "";
	json_t *value;
	json_object_foreach(json_object_get(record, "fields"), name, value)
	{
		const char *shown = cells_text(call, value);
		if (shown)
			text = arena_printf(call->request->arena, "%s%s%s: %s", text,
			                    *text ? ", " : "", name, shown);
	}
	if (*text != '\0')
		json_array_append_new(cells, json_pack("{s:s}", "text", text));
}

static const char *called(const struct call *call, const struct kind *kind, const json_t *record)
{
	const struct field *field = &kind->fields[0];
	const char *text = cells_field_text(call, field, json_object_get(record, field->name));
	return text ? text : words_kind(call, kind);
}

static json_t *row_of(const struct call *call, const struct kind *kind, const json_t *record,
                      const bool *shown)
{
	json_t *row = kind->added_only ? json_copy((json_t *)(uintptr_t)record) : json_object();
	json_t *cells = json_array();
	for (size_t f = 0; f < kind->n_fields; f++)
		if (shown[f])
			json_array_append_new(
			        cells, cell_of(call, &kind->fields[f],
			                       json_object_get(record, kind->fields[f].name)));
	add_own_fields(call, record, cells);
	bool by_name = kind->fields[0].type == FIELD_NAME;
	json_object_set(row, "id", json_object_get(record, by_name ? kind->fields[0].name : "id"));
	json_object_set_new(row, "called", json_string(called(call, kind, record)));
	json_object_set_new(row, "cells", cells);
	return row;
}

void cells_of(const struct call *call, const struct kind *kind, const json_t *records,
              json_t **ret_columns, json_t **ret_rows)
{
	bool shown[KIND_FIELDS_MAX];
	json_t *columns = json_array(), *rows = json_array();
	for (size_t f = 0; f < kind->n_fields; f++) {
		const struct field *field = &kind->fields[f];
		shown[f] = strcmp(field->name, "hash") != 0 && any_has(records, field->name);
		if (shown[f])
			json_array_append_new(columns, json_pack("{s:s}", "label",
			                                         label_field(call, kind, field)));
	}
	if (any_has(records, "fields"))
		json_array_append_new(columns,
		                      json_pack("{s:s}", "label", words(call, "system.fields")));
	size_t i;
	const json_t *record;
	json_array_foreach(records, i, record)
	{
		json_array_append_new(rows, row_of(call, kind, record, shown));
	}
	*ret_columns = columns;
	*ret_rows = rows;
}

void cells_page(const struct call *call, json_t *rows, json_t *data)
{
	const char *text = request_value(&call->request->query, "from");
	long given = text ? strtol(text, NULL, 10) : 0;
	size_t n = json_array_size(rows), from = given > 0 ? (size_t)given : 0;
	from = from < n ? from : 0;
	for (size_t i = 0; i < from; i++)
		json_array_remove(rows, 0);
	while (json_array_size(rows) > ROWS_MAX)
		json_array_remove(rows, json_array_size(rows) - 1);
	size_t next = from + json_array_size(rows);
	if (next < n)
		json_object_set_new(data, "older",
		                    json_pack("{s:I, s:I}", "from", (json_int_t)next, "left",
		                              (json_int_t)(n - next)));
	if (from > 0)
		json_object_set_new(data, "newer",
		                    json_pack("{s:I}", "from",
		                              (json_int_t)(from > ROWS_MAX ? from - ROWS_MAX : 0)));
	json_object_set_new(data, "has_rows", json_boolean(json_array_size(rows) > 0));
}
