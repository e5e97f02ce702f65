/* SPDX-License-Identifier: MIT */
/* The first pass of an import: reads the file, checks each value by itself, stages what is good. */
#include "records/import_private.h"

#include "base/jsontext.h"
#include "base/utf8.h"
#include "model/key.h"
#include "records/customers_private.h"
#include "records/record_row.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { LINE_MAX_BYTES = CSV_ROW_MAX, PROGRESS_ROWS = 1000 };

/* -- values ------------------------------------------------------------------------------------ */

struct reading {
	struct import *import;
	struct staged row;
	json_t *extras; /* made with the first */
};

/* What is known to be bad is reported without a lock. */
static bool check_extra(struct reading *reading, const char *name, const char *text, size_t len,
                        struct error *err)
{
	const struct kind *contact = kind_find("contact");
	const char *ignored;
	const struct field *field = NULL;
	if (reading->import->kind->is_customer) {
		if (strcmp(name, "email") == 0)
			field = kind_field(contact, "email");
		else if (strcmp(name, "contact") == 0)
			field = kind_field(contact, "name");
	}
	if (field == NULL)
		return true;
	struct field column = *field; /* a fault names the column */
	column.name = name;
	return field_check(&column, text, len, reading->import->context->store->zones,
	                   reading->import->arena, &ignored, err);
}

static bool put_field(struct reading *reading, const struct target *target, const char *text,
                      size_t len, struct error *err)
{
	struct import *import = reading->import;
	const struct field *field = target->field;
	size_t i = kind_field_index(import->kind, field);
	if (!field_check(field, text, len, import->context->store->zones, import->arena,
	                 &reading->row.value[i], err))
		return false;
	if (reading->row.value[i] == NULL && field->required && field->initial == NULL)
		return error_set(err, EX_DATAERR, "%s: is required and can't be empty",
		                 field->name);
	reading->row.given |= 1u << i;
	return true;
}

/* A number or name like any other reference; of what has no name, an id. */
static bool put_owner(struct reading *reading, const char *text, size_t len, struct error *err)
{
	struct import *import = reading->import;
	const struct field owner = {
	        .name = import->kind->owner, .type = FIELD_CUSTOMER, .help = "what it belongs to"};
	return field_check(&owner, text, len, import->context->store->zones, import->arena,
	                   &reading->row.owner, err);
}

static bool put_id(struct reading *reading, const char *text, size_t len, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	key_trim(&text, &len);
	if (len == 0)
		return true;
	reading->row.id = arena_strndup(reading->import->arena, text, len);
	return strspn(reading->row.id, "0123456789") == len ||
	       error_set(err, EX_DATAERR, "id: must be a positive whole number (got \"%s\")",
	                 utf8_quote(text, len, quote));
}

static bool put_nothing(const struct target *target, const char *text, size_t len,
                        struct error *err)
{
	key_trim(&text, &len);
	return len == 0 || error_set(err, EX_DATAERR,
	                             "%s: there is no field for it (--map \"%s=\" leaves it out)",
	                             target->name, target->name);
}

static bool put_text(struct reading *reading, const struct target *target, const char *text,
                     size_t len, struct error *err)
{
	switch (target->kind) {
	case TARGET_FIELD:
		return put_field(reading, target, text, len, err);
	case TARGET_ID:
		return put_id(reading, text, len, err);
	case TARGET_OWNER:
		return put_owner(reading, text, len, err);
	case TARGET_EMPTY:
		return put_nothing(target, text, len, err);
	case TARGET_EXTRA:
	case TARGET_IGNORED:
		return true;
	}
	return true;
}

static void put_extra(struct reading *reading, const char *name, json_t *value)
{
	if (reading->extras == NULL)
		reading->extras = json_object();
	(void)json_object_set_new(reading->extras, name, value);
}

/* First and last name, in whatever order their columns are. */
static void put_part(struct reading *reading, const struct target *target, const char *text,
                     size_t len)
{
	key_trim(&text, &len);
	const char *there = json_string_value(json_object_get(reading->extras, target->name));
	const char *part = arena_strndup(reading->import->arena, text, len);
	if (there == NULL || *there == '\0' || len == 0)
		part = len > 0 ? part : there ? there : "";
	else
		part = arena_printf(reading->import->arena, "%s %s",
		                    target->part == PART_FIRST ? part : there,
		                    target->part == PART_FIRST ? there : part);
	put_extra(reading, target->name, json_string(part));
}

/* A cell that holds a list or an object (an export's items) is JSON. */
static bool put_extra_text(struct reading *reading, const struct target *target, const char *text,
                           size_t len, struct error *err)
{
	json_t *value;
	if (!check_extra(reading, target->name, text, len, err))
		return false;
	if (target->part != PART_WHOLE) {
		put_part(reading, target, text, len);
		return true;
	}
	if (len > 0 && (*text == '[' || *text == '{'))
		value = jsontext_read(text, len, err);
	else
		value = json_stringn(text, len);
	if (value == NULL)
		return error_set(err, EX_DATAERR, "%s: is not valid UTF-8 or JSON", target->name);
	put_extra(reading, target->name, value);
	return true;
}

static const char *missing(const struct import *import, const struct staged *row)
{
	bool named = import->kind->fields[0].type == FIELD_NAME;
	if (named && (row->given & 1u) == 0)
		return import->kind->fields[0].name;
	if (import->kind->owner && row->owner == NULL)
		return import->kind->owner;
	return NULL;
}

static bool stage(struct reading *reading)
{
	struct import *import = reading->import;
	const char *needed = missing(import, &reading->row);
	if (needed) {
		import_bad(import, reading->row.line, 0,
		           arena_printf(import->arena, "%s: is required", needed));
		return true;
	}
	char *extras = reading->extras ? json_dumps(reading->extras, JSON_COMPACT) : NULL;
	reading->row.extras = extras;
	import_note_row(import, &reading->row, import->stage_size);
	bool good = stage_put(import, &reading->row);
	free(extras);
	return good;
}

/* `bad`: how many faults there were before it. */
static bool finish_row(struct reading *reading, int64_t bad)
{
	if (reading->import->counts.bad == bad)
		return stage(reading);
	import_fell(reading->import, reading->row.value[0]);
	return true;
}

/* -- CSV --------------------------------------------------------------------------------------- */

struct table {
	struct target *targets;
	size_t n;
};

/* The header's names are kept: extras carry them as keys. */
static bool read_header(struct import *import, struct csv *csv, struct arena *arena,
                        struct table *table)
{
	struct csv_row row;
	struct error err;
	enum csv_result result = csv_next(csv, &row, import->err);
	if (result == CSV_END)
		return error_set(import->err, EX_DATAERR,
		                 "the file is empty; its first line must name the fields");
	if (result != CSV_ROW)
		return error_prefix(import->err, "line %lld", (long long)row.line);
	table->targets = arena_new_array(arena, row.n, struct target);
	table->n = row.n;
	for (size_t i = 0; i < row.n; i++) {
		const char *text = row.cells[i].text;
		size_t len = row.cells[i].len;
		key_trim(&text, &len);
		const char *name = arena_strndup(arena, text, len);
		if (!import_find_target(import, name, &table->targets[i], &err))
			import_bad(import, row.line, (int64_t)i + 1, err.text);
	}
	import_settle_targets(import, table->targets, row.n);
	for (size_t i = 0; i < row.n; i++) {
		if (!import_check_twice(table->targets, i, &err))
			import_bad(import, row.line, (int64_t)i + 1, err.text);
	}
	return true;
}

/* More cells than the header has don't count where nothing is in them. */
static size_t count_cells(const struct csv_row *row, size_t wanted)
{
	size_t n = row->n;
	while (n > wanted) {
		const char *text = row->cells[n - 1].text;
		size_t len = row->cells[n - 1].len;
		key_trim(&text, &len);
		if (len > 0)
			break;
		n--;
	}
	return n;
}

static bool read_cell(struct reading *reading, const struct target *target, struct csv_cell cell,
                      struct error *err)
{
	csv_unmark(&cell.text, &cell.len);
	if (target->kind != TARGET_IGNORED && !utf8_valid(cell.text, cell.len))
		return error_set(err, EX_DATAERR, IMPORT_NOT_UTF8, target->name);
	return target->kind == TARGET_EXTRA
	               ? put_extra_text(reading, target, cell.text, cell.len, err)
	               : put_text(reading, target, cell.text, cell.len, err);
}

static bool read_row(struct import *import, const struct table *table, const struct csv_row *row)
{
	struct reading reading = {.import = import, .row = {.line = row->line}};
	struct error err;
	size_t n = count_cells(row, table->n);
	int64_t bad = import->counts.bad;
	if (n != table->n) {
		import_bad(import, row->line, 0,
		           arena_printf(import->arena, "has %zu cell%s where the header has %zu", n,
		                        n == 1 ? "" : "s", table->n));
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (!read_cell(&reading, &table->targets[i], row->cells[i], &err))
			import_bad(import, row->line, (int64_t)i + 1, err.text);
	}
	bool good = finish_row(&reading, bad);
	json_decref(reading.extras);
	return good;
}

static bool read_csv_rows(struct import *import, struct csv *csv, const struct table *table)
{
	struct csv_row row;
	struct error err;
	enum csv_result result;
	bool good = true;
	while (good && (result = csv_next(csv, &row, &err)) != CSV_END) {
		import->counts.rows += result != CSV_FAULT;
		if (result == CSV_ROW)
			good = read_row(import, table, &row);
		else
			import_bad(import, row.line, 0, err.text);
		if (result == CSV_FAULT)
			break;
		if (import->counts.rows % PROGRESS_ROWS == 0)
			import_progress(import, csv_bytes(csv) / 4);
		arena_reset(import->arena);
	}
	return good;
}

static bool read_csv(struct import *import)
{
	struct csv *csv = csv_new(import->in);
	struct arena *arena = arena_new();
	struct table table = {0};
	bool good = read_header(import, csv, arena, &table) &&
	            (import->counts.bad > 0 || read_csv_rows(import, csv, &table));
	arena_free(arena);
	csv_free(csv);
	return good;
}

/* -- JSON Lines -------------------------------------------------------------------------------- */

static bool put_json(struct reading *reading, const char *key, const json_t *value,
                     struct error *err)
{
	struct target target;
	const char *text = "";
	size_t len = 0;
	if (!import_find_target(reading->import, key, &target, err))
		return false;
	if (target.kind == TARGET_IGNORED)
		return true;
	if (target.kind != TARGET_EXTRA || !(json_is_object(value) || json_is_array(value))) {
		if ((target.kind != TARGET_EXTRA &&
		     !value_fits(target.name, target.field, value, err)) ||
		    !value_text(target.name, value, reading->import->arena, &text, &len, err))
			return false;
	}
	if (target.kind != TARGET_EXTRA)
		return put_text(reading, &target, text, len, err);
	if (!check_extra(reading, target.name, text, len, err))
		return false;
	put_extra(reading, target.name, json_incref((json_t *)(uintptr_t)value));
	return true;
}

static bool read_object(struct import *import, const json_t *object, int64_t line)
{
	struct reading reading = {.import = import, .row = {.line = line}};
	struct error err;
	const char *key;
	json_t *value;
	int64_t bad = import->counts.bad;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (!put_json(&reading, key, value, &err))
			import_bad(import, line, 0, err.text);
	}
	bool good = finish_row(&reading, bad);
	json_decref(reading.extras);
	return good;
}

static bool read_line(struct import *import, const char *text, size_t len, int64_t line)
{
	struct error err;
	int column = 0;
	if (text[strspn(text, " \t\r\n")] == '\0' && strlen(text) == len)
		return true;
	import->counts.rows++;
	json_t *object =
	        len <= LINE_MAX_BYTES ? jsontext_read_line(text, len, &column, &err) : NULL;
	if (object == NULL && len <= LINE_MAX_BYTES && !utf8_valid(text, len))
		(void)error_set(&err, EX_DATAERR, IMPORT_NOT_UTF8, "the line");
	if (len > LINE_MAX_BYTES)
		(void)error_set(&err, EX_DATAERR, "the line is longer than %d MiB",
		                (int)(LINE_MAX_BYTES >> 20));
	else if (object && !json_is_object(object))
		(void)error_set(&err, EX_DATAERR, "expected an object, not %s",
		                jsontext_kind(object));
	bool good = true;
	if (json_is_object(object))
		good = read_object(import, object, line);
	else
		import_bad(import, line, column, err.text);
	json_decref(object);
	return good;
}

static bool read_jsonl(struct import *import)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	int64_t done = 0;
	bool good = true;
	for (int64_t line = 1; good && (len = getline(&text, &size, import->in)) > 0; line++) {
		bool mark = line == 1 && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
		done += len;
		len -= text[len - 1] == '\n';
		text[len] = '\0';
		good = read_line(import, text + (mark ? 3 : 0), (size_t)len - (mark ? 3 : 0), line);
		if (line % PROGRESS_ROWS == 0)
			import_progress(import, done / 4);
		arena_reset(import->arena);
	}
	free(text);
	return good &&
	       (!ferror(import->in) || error_set(import->err, EX_IOERR, "the file can't be read"));
}

bool import_read(struct import *import)
{
	return import->how->format == RECORDS_CSV ? read_csv(import) : read_jsonl(import);
}
