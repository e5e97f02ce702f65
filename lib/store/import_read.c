/* SPDX-License-Identifier: MIT */
/* The first pass of an import: reads the file, checks each value by itself, stages what is good. */
#include "store/import_private.h"

#include "base/identity.h"
#include "base/jsontext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { LINE_MAX_BYTES = CSV_ROW_MAX, PROGRESS_ROWS = 1000 };

/* -- reporting --------------------------------------------------------------------------------- */

void import_bad(struct import *import, int64_t line, int64_t column, const char *text)
{
	import->counts.bad++;
	if (import->how->bad_row)
		import->how->bad_row(import->how->arg, line, column, text);
}

void import_fell(struct import *import, const char *number)
{
	if (number && strcmp(import->kind->name, "customer") == 0)
		g_hash_table_add(import->fallen, g_strdup(number));
}

bool import_has_fallen(const struct import *import, const char *number)
{
	return g_hash_table_contains(import->fallen, number);
}

void import_progress(struct import *import, int64_t done)
{
	if (import->how->progress)
		import->how->progress(import->how->arg, import->counts.rows, done, import->size);
}

/* -- names ------------------------------------------------------------------------------------- */

static char *trimmed(char *text)
{
	text += strspn(text, " \t\r\n");
	size_t len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static bool add_mapping(struct import *import, char *line, int number)
{
	char *equals = strrchr(line, '=');
	line = trimmed(line);
	if (*line == '\0' || *line == '#')
		return true;
	if (equals == NULL)
		return error_set(import->err, EX_DATAERR, "%s:%d: 'their column = field' was meant",
		                 import->how->map, number);
	*equals = '\0';
	struct map_entry *entry = mem_alloc(sizeof *entry);
	*entry = (struct map_entry){.foreign = mem_strdup(trimmed(line)),
	                            .own = mem_strdup(trimmed(equals + 1)),
	                            .next = import->map};
	import->map = entry;
	return true;
}

bool import_read_map(struct import *import)
{
	char *line = NULL;
	size_t size = 0;
	bool good = true;
	if (import->how->map == NULL)
		return true;
	identity_person();
	FILE *file = fopen(import->how->map, "re");
	identity_back();
	if (file == NULL)
		return error_set(import->err, EX_NOINPUT, "%s: %s", import->how->map, strerror(errno));
	for (int number = 1; good && getline(&line, &size, file) > 0; number++)
		good = add_mapping(import, line, number);
	free(line);
	(void)fclose(file);
	return good;
}

/* Mapped to nothing or `-`: passed over. */
static const char *mapped(const struct import *import, const char *name)
{
	for (const struct map_entry *entry = import->map; entry; entry = entry->next) {
		if (strcmp(entry->foreign, name) == 0)
			return entry->own;
	}
	return name;
}

/* What an export or `show --json` adds and an import works out for itself. */
static bool is_computed(const char *name)
{
	static const char *const names[] = {"total", "paid", "customers", "sites", "holds", ""};
	for (size_t i = 0; *names[i]; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static bool find_target(const struct import *import, const char *name, struct target *ret, struct error *err)
{
	const struct kind *kind = import->kind;
	bool hangs = kind->owner != NULL;
	name = mapped(import, name);
	*ret = (struct target){.kind = TARGET_FIELD, .field = kind_field(kind, name), .name = name};
	if (*name == '\0' || strcmp(name, "-") == 0)
		ret->kind = TARGET_IGNORED;
	else if (ret->field)
		ret->name = ret->field->name;
	else if (strcmp(name, "id") == 0)
		ret->kind = hangs ? TARGET_ID : TARGET_IGNORED;
	else if (hangs && kind_find(name) == kind_find(kind->owner))
		ret->kind = TARGET_OWNER;
	else if (is_computed(name))
		ret->kind = TARGET_IGNORED;
	else if (is_extra(hook_find(kind), name))
		ret->kind = TARGET_EXTRA;
	else {
		const char *meant = kind_nearest(kind, name);
		return error_set(err, EX_DATAERR, "%s: a %s has no such field%s%s%s", name, kind->name,
		                 meant ? " (did you mean " : "", meant ? meant : "", meant ? "?)" : "");
	}
	return true;
}

/* -- values ------------------------------------------------------------------------------------ */

struct reading {
	struct import *import;
	struct staged row;
	json_t *extras; /* made with the first */
};

/* What is known already to be bad needs no lock to say so. */
static bool check_extra(struct reading *reading, const char *name, const char *text, size_t len,
                        struct error *err)
{
	const struct kind *contact = kind_find("contact");
	const char *ignored;
	const struct field *field = NULL;
	if (strcmp(reading->import->kind->name, "customer") == 0) {
		if (strcmp(name, "email") == 0)
			field = kind_field(contact, "email");
		else if (strcmp(name, "contact") == 0)
			field = kind_field(contact, "name");
	}
	if (field == NULL)
		return true;
	struct field column = *field; /* a fault is told by the column's name */
	column.name = name;
	return field_check(&column, text, len, reading->import->act->store->zones, reading->import->arena,
	                   &ignored, err);
}

static bool put_field(struct reading *reading, const struct target *target, const char *text, size_t len,
                      struct error *err)
{
	struct import *import = reading->import;
	const struct field *field = target->field;
	size_t i = kind_field_index(import->kind, field);
	if (!field_check(field, text, len, import->act->store->zones, import->arena, &reading->row.value[i],
	                 err))
		return false;
	if (reading->row.value[i] == NULL && field->needed && field->initial == NULL)
		return error_set(err, EX_DATAERR, "%s: is needed and may not be empty", field->name);
	reading->row.given |= 1u << i;
	return true;
}

static bool put_text(struct reading *reading, const struct target *target, const char *text, size_t len,
                     struct error *err)
{
	switch (target->kind) {
	case TARGET_FIELD:
		return put_field(reading, target, text, len, err);
	case TARGET_ID:
		reading->row.id = len > 0 ? arena_strndup(reading->import->arena, text, len) : NULL;
		return true;
	case TARGET_OWNER:
		reading->row.owner = len > 0 ? arena_strndup(reading->import->arena, text, len) : NULL;
		return true;
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

/* A cell that holds a list or an object (an export's items) is JSON. */
static bool put_extra_text(struct reading *reading, const char *name, const char *text, size_t len,
                           struct error *err)
{
	json_t *value;
	if (!check_extra(reading, name, text, len, err))
		return false;
	if (len > 0 && (*text == '[' || *text == '{'))
		value = jsontext_read(text, len, err);
	else
		value = json_stringn(text, len);
	if (value == NULL)
		return error_set(err, EX_DATAERR, "%s: is not valid UTF-8 or JSON", name);
	put_extra(reading, name, value);
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
		           arena_printf(import->arena, "%s: is needed", needed));
		return true;
	}
	char *extras = reading->extras ? json_dumps(reading->extras, JSON_COMPACT) : NULL;
	reading->row.extras = extras;
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

static bool check_twice(const struct table *table, size_t i, struct error *err)
{
	for (size_t k = 0; k < i; k++) {
		const struct target *a = &table->targets[k], *b = &table->targets[i];
		if (a->kind == b->kind && a->kind != TARGET_IGNORED && strcmp(a->name, b->name) == 0)
			return error_set(err, EX_DATAERR, "%s: is there twice", b->name);
	}
	return true;
}

/* The header's names are kept: extras carry them as keys. */
static bool read_header(struct import *import, struct csv *csv, struct arena *arena, struct table *table)
{
	struct csv_row row;
	struct error err;
	enum csv_result result = csv_next(csv, &row, import->err);
	if (result == CSV_END)
		return error_set(import->err, EX_DATAERR,
		                 "the file is empty: a line with the names of the fields was meant");
	if (result != CSV_ROW)
		return error_prefix(import->err, "line %lld", (long long)row.line);
	table->targets = arena_new_array(arena, row.n, struct target);
	table->n = row.n;
	for (size_t i = 0; i < row.n; i++) {
		char *name = trimmed(arena_strndup(arena, row.cells[i].text, row.cells[i].len));
		if (!find_target(import, name, &table->targets[i], &err) || !check_twice(table, i, &err))
			import_bad(import, row.line, (int64_t)i + 1, err.text);
	}
	return true;
}

static bool read_row(struct import *import, const struct table *table, const struct csv_row *row)
{
	struct reading reading = {.import = import, .row = {.line = row->line}};
	struct error err;
	bool good = row->n == table->n;
	int64_t bad = import->counts.bad;
	if (!good) {
		import_bad(import, row->line, 0,
		           arena_printf(import->arena, "has %zu cells where the header has %zu", row->n,
		                        table->n));
		return true;
	}
	for (size_t i = 0; i < row->n; i++) {
		const struct target *target = &table->targets[i];
		struct csv_cell cell = row->cells[i];
		csv_unmark(&cell.text, &cell.len);
		good = target->kind == TARGET_EXTRA
		               ? put_extra_text(&reading, target->name, cell.text, cell.len, &err)
		               : put_text(&reading, target, cell.text, cell.len, &err);
		if (!good)
			import_bad(import, row->line, (int64_t)i + 1, err.text);
	}
	good = finish_row(&reading, bad);
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

static bool put_json(struct reading *reading, const char *key, const json_t *value, struct error *err)
{
	struct target target;
	const char *text = "";
	size_t len = 0;
	if (!find_target(reading->import, key, &target, err))
		return false;
	if (target.kind == TARGET_IGNORED)
		return true;
	if (target.kind != TARGET_EXTRA || !(json_is_object(value) || json_is_array(value))) {
		if ((target.kind != TARGET_EXTRA && !value_fits(target.name, target.field, value, err)) ||
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
	json_t *object = len <= LINE_MAX_BYTES ? jsontext_read_line(text, len, &column, &err) : NULL;
	if (len > LINE_MAX_BYTES)
		(void)error_set(&err, EX_DATAERR, "a line of more than %d MiB", (int)(LINE_MAX_BYTES >> 20));
	else if (object && !json_is_object(object))
		(void)error_set(&err, EX_DATAERR, "is %s where an object was meant", jsontext_kind(object));
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
	return good && (!ferror(import->in) || error_set(import->err, EX_IOERR, "the file can't be read"));
}

bool import_read(struct import *import)
{
	return import->how->format == RECORDS_CSV ? read_csv(import) : read_jsonl(import);
}
