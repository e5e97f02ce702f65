/* SPDX-License-Identifier: MIT */
/*
 * Several rows of one file for one number or name. Which of them is right nobody knows: a fault
 * with both lines, but for customers' rows that differ in the contact alone, as lists of contacts
 * have them. Of each row a hash and its place are kept, 16 bytes; rows whose hashes are the same
 * are read again and compared.
 */
#include "records/import_private.h"

#include "base/jsontext.h"
#include "records/record_row.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

struct twice {
	int64_t line;
	const char *text;
};

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

void import_note_row(struct import *import, const struct staged *row, int64_t at)
{
	if (import->kind->fields[0].type != FIELD_NAME)
		return;
	if (import->n_places == import->cap_places) {
		import->cap_places = import->cap_places ? import->cap_places * 2 : 256;
		import->places =
		        mem_realloc(import->places, import->cap_places, sizeof *import->places);
	}
	import->places[import->n_places++] = (struct import_place){hash_of(row->value[0]), at};
}

static int by_hash(const void *a, const void *b)
{
	const struct import_place *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int by_line(const void *a, const void *b)
{
	const struct twice *x = a, *y = b;
	return (x->line > y->line) - (x->line < y->line);
}

static bool read_at(struct import *import, int64_t at, struct staged *ret)
{
	bool fault;
	return stage_rewind(import, at) && stage_get(import, ret, &fault);
}

/* Beyond the next stage_get(). */
static void keep(struct arena *arena, struct staged *row)
{
	row->extras = arena_strdup(arena, row->extras);
	for (size_t i = 0; i < KIND_FIELDS_MAX; i++)
		row->value[i] = arena_strdup(arena, row->value[i]);
}

/* The name of the first field that differs; NULL where none does. */
static const char *differing(const struct kind *kind, const struct staged *a,
                             const struct staged *b)
{
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (((a->given ^ b->given) & 1u << i) || !value_same(a->value[i], b->value[i]))
			return kind->fields[i].name;
	}
	return NULL;
}

static json_t *extras_of(const struct staged *row)
{
	json_t *extras = row->extras ? json_loads(row->extras, 0, NULL) : NULL;
	return extras ? extras : json_object();
}

/* *ret_contact: whether the contact differs; else what other key does, NULL for none. */
static const char *differing_extras(const struct kind *kind, const struct staged *a,
                                    const struct staged *b, bool *ret_contact)
{
	json_t *x = extras_of(a), *y = extras_of(b), *value;
	const char *key, *other = NULL;
	*ret_contact = false;
	for (size_t i = 0; kind->extra[i]; i++) {
		key = kind->extra[i];
		value = json_object_get(x, key);
		if (value == json_object_get(y, key) || json_equal(value, json_object_get(y, key)))
			continue;
		*ret_contact = *ret_contact || i < KIND_EXTRA_CONTACT;
		other = i < KIND_EXTRA_CONTACT ? other : key;
	}
	json_decref(x);
	json_decref(y);
	return other;
}

/* NULL where the rows are those of one customer and two contacts. */
static const char *wrong(struct import *import, const struct staged *first,
                         const struct staged *row, struct arena *arena)
{
	bool contact = false;
	const struct kind *kind = import->kind;
	const char *field = differing(kind, first, row);
	if (field == NULL && kind->is_customer)
		field = differing_extras(kind, first, row, &contact);
	if (field == NULL && contact)
		return NULL;
	const char *text =
	        arena_printf(arena, "%s: %s is in line %lld already", kind->fields[0].name,
	                     row->value[0], (long long)first->line);
	return field ? arena_printf(arena, "%s, with another %s", text, field) : text;
}

static void remember_several(struct import *import, int64_t at)
{
	int64_t *key = g_new(int64_t, 1);
	*key = at;
	g_hash_table_add(import->several, key);
}

/* Places from..to have one hash. */
static bool check_run(struct import *import, size_t from, size_t to, struct arena *arena,
                      GArray *faults)
{
	struct staged first, row;
	if (!read_at(import, import->places[from].at, &first))
		return false;
	keep(arena, &first);
	for (size_t i = from + 1; i < to; i++) {
		if (!read_at(import, import->places[i].at, &row))
			return false;
		if (strcmp(first.value[0], row.value[0]) != 0)
			continue;
		const char *text = wrong(import, &first, &row, arena);
		if (text) {
			struct twice twice = {row.line, text};
			g_array_append_val(faults, twice);
		} else {
			remember_several(import, import->places[from].at);
			remember_several(import, import->places[i].at);
		}
	}
	return true;
}

bool import_check_twice_there(struct import *import)
{
	struct arena *arena = arena_new();
	GArray *faults = g_array_new(FALSE, FALSE, sizeof(struct twice));
	bool good = true;
	if (import->n_places > 0)
		qsort(import->places, import->n_places, sizeof *import->places, by_hash);
	for (size_t from = 0, to; good && from < import->n_places; from = to) {
		for (to = from + 1; to < import->n_places; to++) {
			if (import->places[to].hash != import->places[from].hash)
				break;
		}
		good = to == from + 1 || check_run(import, from, to, arena, faults);
	}
	g_array_sort(faults, by_line);
	for (guint i = 0; i < faults->len; i++) {
		const struct twice *twice = &g_array_index(faults, struct twice, i);
		import_bad(import, twice->line, 0, twice->text);
	}
	(void)g_array_free(faults, TRUE);
	arena_free(arena);
	free(import->places);
	import->places = NULL;
	import->n_places = 0;
	return good;
}

bool import_is_several(const struct import *import, int64_t at)
{
	return g_hash_table_contains(import->several, &at);
}
