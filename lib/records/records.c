/* SPDX-License-Identifier: MIT */
/*
 * Adding, changing, removing and showing records of every kind. What is common comes from the table
 * of kinds; what a kind does besides is in its hook (record_hooks.c).
 *
 *	values (JSON) ─ merge ─▶ row ─ check ─▶ row ─ insert/update ─▶ written ─▶ change
 */
#include "records/records.h"

#include "base/nearest.h"
#include "base/utf8.h"
#include "model/key.h"
#include "records/record_private.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* -- one transaction --------------------------------------------------------------------------- */

bool work_begin(struct work *work, const struct act *act, struct error *err)
{
	*work = (struct work){.act = act, .store = act->store, .db = act->store->db, .err = err};
	if (!db_begin(work->db, err))
		return false;
	work->arena = arena_new();
	return true;
}

bool work_end(struct work *work, bool good)
{
	good = good && search_refresh(work->store, work->err);
	if (good)
		good = db_commit(work->db, work->err);
	else
		db_rollback(work->db);
	work->arena = arena_free(work->arena);
	return good;
}

bool work_is_claimed(const struct work *work, int64_t contact)
{
	return work->claimed && g_hash_table_contains(work->claimed, GSIZE_TO_POINTER((gsize)contact));
}

void work_claim(struct work *work, int64_t contact)
{
	if (work->claimed)
		g_hash_table_add(work->claimed, GSIZE_TO_POINTER((gsize)contact));
}

bool work_needs_manager(struct work *work, const char *what)
{
	return work->act->actor.manager ||
	       error_set(work->err, EX_NOPERM, "%s: only a manager may do that", what);
}

/* -- finding by name --------------------------------------------------------------------------- */

bool customer_id(struct customers *store, const char *number, int64_t *ret, struct error *err)
{
	struct db_query *query =
	        db_query(store->db, "SELECT id FROM customer WHERE number = ?1 UNION ALL"
	                            " SELECT customer FROM former_number WHERE number = ?1 LIMIT 1");
	db_bind_text(query, 1, number);
	return db_run_int(query, 0, ret, err);
}

/* A name as somebody pasted it. What is on record as it is typed wins: that may have come from elsewhere. */
static bool clean_name(const char *name, struct arena *arena, const char **ret, struct error *err)
{
	size_t len = strlen(name);
	key_trim(&name, &len);
	*ret = name;
	return !utf8_valid(name, len) || key_clean("name", name, len, arena, ret, err);
}

bool record_id(const char *text, int64_t *ret)
{
	char *end;
	if (*text < '0' || *text > '9' || strlen(text) > 18)
		return false;
	*ret = strtoll(text, &end, 10);
	return *end == '\0' && *ret > 0;
}

static bool find_id(struct customers *store, const struct kind *kind, const char *name, int64_t *ret,
                    struct error *err)
{
	struct row row;
	int64_t id;
	*ret = 0;
	if (strcmp(kind->name, "customer") == 0)
		return customer_id(store, name, ret, err);
	if (kind->fields[0].type == FIELD_NAME) {
		const char *sql = strcmp(kind->name, "rep") == 0
		                          ? "SELECT id FROM rep WHERE name = ?1"
		                          : "SELECT id FROM system_type WHERE name = ?1";
		struct db_query *query = db_query(store->db, sql);
		db_bind_text(query, 1, name);
		return db_run_int(query, 0, ret, err);
	}
	if (!record_id(name, &id))
		return true;
	struct arena *arena = arena_new();
	bool good = row_get(store, arena, kind, id, &row, err);
	arena_free(arena);
	*ret = good ? row.id : 0;
	return good;
}

bool record_find(struct customers *store, const struct kind *kind, const char *name, int64_t *ret,
                 struct error *err)
{
	if (!find_id(store, kind, name, ret, err))
		return false;
	if (*ret != 0)
		return true;
	struct arena *arena = arena_new();
	const char *clean = name;
	bool good = clean_name(name, arena, &clean, err) &&
	            (strcmp(clean, name) == 0 || find_id(store, kind, clean, ret, err)) &&
	            (*ret != 0 || error_set(err, EX_NOINPUT, "there is no %s %s", kind->name, clean));
	arena_free(arena);
	return good;
}

/* -- values into a row ------------------------------------------------------------------------- */

bool is_extra(const struct hook *hook, const char *key)
{
	for (size_t i = 0; hook->extra && hook->extra[i]; i++) {
		if (strcmp(hook->extra[i], key) == 0 || strcmp(hook->extra[i], "*") == 0)
			return true;
	}
	return false;
}

static bool unknown_field(const struct kind *kind, const char *key, struct error *err)
{
	const char *meant = kind_nearest(kind, key);
	return error_set(err, EX_DATAERR, "%s: a %s has no such field%s%s%s", key, kind->name,
	                 meant ? " (did you mean " : "", meant ? meant : "", meant ? "?)" : "");
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* What the program keeps may be given by an import alone: what it is already by anybody, else by a manager.
 */
static bool may_give(struct work *work, const struct field *field, struct error *err)
{
	if (!field->kept || work->stored)
		return true;
	if (!work->import)
		return error_set(err, EX_DATAERR, "%s: is kept by the program and can't be given",
		                 field->name);
	return work_needs_manager(work, field->name);
}

/* `yes` sets a kept time to now where it isn't set, `no` clears it. False where `value` is neither. */
static bool merge_by_hand(struct work *work, struct row *row, const struct field *field, const json_t *value)
{
	char time[INSTANT_TEXT_MAX];
	const char *text = json_string_value(value), **at = &row->value[kind_field_index(row->kind, field)];
	bool yes = json_is_true(value) || (text && (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0));
	bool no = json_is_false(value) || (text && (strcmp(text, "no") == 0 || strcmp(text, "false") == 0));
	if (!field->by_hand || !(yes || no))
		return false;
	if (no)
		*at = NULL;
	else if (*at == NULL)
		*at = arena_strdup(work->arena, instant_format(work->act->when, 0, time));
	return true;
}

static bool merge_one(struct work *work, struct row *row, const struct field *field, const json_t *value)
{
	const char *text, *canonical;
	size_t len;
	if (merge_by_hand(work, row, field, value))
		return true;
	if (field->by_hand && !work->import && !work->stored && json_is_string(value))
		return error_set(work->err, EX_DATAERR, "%s: must be yes or no (got \"%s\")", field->name,
		                 json_string_value(value));
	if (!value_fits(field->name, field, value, work->err) ||
	    !value_text(field->name, value, work->arena, &text, &len, work->err) ||
	    !field_check(field, text, len, work->store->zones, work->arena, &canonical, work->err))
		return false;
	bool same = same_text(row->value[kind_field_index(row->kind, field)], canonical);
	if (!(work->import && same) && !may_give(work, field, work->err))
		return false;
	if (canonical == NULL && !field_emptied(field, row->id == 0, &canonical, work->err))
		return false;
	row->value[kind_field_index(row->kind, field)] = canonical;
	return true;
}

static bool merge(struct work *work, struct row *row, const json_t *values)
{
	const struct hook *hook = hook_find(row->kind);
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)values, key, value)
	{
		const struct field *field = kind_field(row->kind, key);
		if (field && !merge_one(work, row, field, value))
			return false;
		if (field == NULL && !is_extra(hook, key))
			return unknown_field(row->kind, key, work->err);
	}
	return true;
}

static void fill_initial(struct row *row)
{
	for (size_t i = 0; i < row->kind->n_fields; i++)
		row->value[i] = row->kind->fields[i].initial;
}

static bool check_needed(struct work *work, const struct row *row)
{
	for (size_t i = 0; i < row->kind->n_fields; i++) {
		if (row->kind->fields[i].needed && row->value[i] == NULL)
			return error_set(work->err, EX_DATAERR, "%s: is needed", row->kind->fields[i].name);
	}
	return true;
}

/* Who may change what. */
static bool check_rights(struct work *work, const struct row *before, const struct row *after)
{
	for (size_t i = 0; before->id != 0 && i < after->kind->n_fields; i++) {
		const struct field *field = &after->kind->fields[i];
		if (same_text(before->value[i], after->value[i]))
			continue;
		if (field->manager && !work->act->actor.manager)
			return error_set(work->err, EX_NOPERM, "%s: only a manager may change it",
			                 field->name);
		if (field->fixed || (after->kind->added_only && !field->kept))
			return error_set(work->err, EX_DATAERR, "%s: can't be changed once it is entered",
			                 field->name);
	}
	return true;
}

/* -- adding and changing ----------------------------------------------------------------------- */

static bool write_difference(struct work *work, const struct row *before, struct row *after, bool *changed)
{
	bool adding = before->id == 0;
	*changed = adding || row_differs(before, after);
	if (*changed && !adding && work->stale && !stale_note(work, before, after))
		return false;
	return !*changed || ((adding ? row_insert(work, after) : row_update(work, after)) &&
	                     change_row(work, before, after, adding ? "add" : "set"));
}

struct row row_start(const struct row *before)
{
	struct row after = *before;
	if (before->id == 0)
		fill_initial(&after);
	return after;
}

bool record_write(struct work *work, const struct row *before, struct row *after, const json_t *values,
                  bool *ret_changed)
{
	const struct hook *hook = hook_find(before->kind);
	bool changed = false;
	if ((hook->check && !hook->check(work, before, after, values)) || !check_needed(work, after) ||
	    !check_rights(work, before, after) || !write_difference(work, before, after, &changed) ||
	    (hook->written && !hook->written(work, after, values, before->id == 0, &changed)))
		return false;
	if (ret_changed)
		*ret_changed = changed;
	return true;
}

bool record_put(struct work *work, const struct row *before, const json_t *values, int64_t *ret_id,
                bool *ret_changed)
{
	struct row after = row_start(before);
	if (!merge(work, &after, values) || !record_write(work, before, &after, values, ret_changed))
		return false;
	if (ret_id)
		*ret_id = after.id;
	return true;
}

static bool find_owner(struct work *work, const struct kind *kind, const char *owner, int64_t *ret)
{
	*ret = 0;
	if (kind->owner == NULL)
		return true;
	if (owner == NULL)
		return error_set(work->err, EX_USAGE, "%s: which %s it belongs to is missing", kind->name,
		                 kind->owner);
	return record_find(work->store, kind_find(kind->owner), owner, ret, work->err);
}

bool records_add(const struct act *act, const struct kind *kind, const char *owner, const json_t *values,
                 int64_t *ret_id, struct error *err)
{
	struct work work;
	struct row row;
	int64_t owner_id;
	if (!work_begin(&work, act, err))
		return false;
	return work_end(&work, find_owner(&work, kind, owner, &owner_id) &&
	                               row_new(&work, kind, owner_id, &row) &&
	                               record_put(&work, &row, values, ret_id, NULL));
}

bool records_set(const struct act *act, const struct kind *kind, const char *name, const json_t *values,
                 struct error *err)
{
	struct work work;
	struct row row;
	int64_t id;
	if (kind->added_only)
		return error_set(err, EX_DATAERR, "%s are only added, never changed", kind->many);
	if (!work_begin(&work, act, err))
		return false;
	return work_end(&work, record_find(work.store, kind, name, &id, err) &&
	                               row_get(work.store, work.arena, kind, id, &row, err) &&
	                               record_put(&work, &row, values, NULL, NULL));
}

/* -- removing ---------------------------------------------------------------------------------- */

static bool remove_row(struct work *work, const struct row *row)
{
	const struct hook *hook = hook_find(row->kind);
	const struct row nothing = {.kind = row->kind};
	if (hook->removing && !hook->removing(work, row))
		return false;
	struct db_query *query = db_query(work->db, row_sql(work->store, row->kind)->remove);
	db_bind_int(query, 1, row->id);
	if (!db_run(query, work->err)) {
		if (db_answer(work->db) == DB_CONSTRAINT)
			return error_set(work->err, EX_DATAERR, "this %s is still in use", row->kind->name);
		return false;
	}
	return change_row(work, row, &nothing, "remove");
}

/* By a number that a customer had before only that name goes. */
static bool remove_named(struct work *work, const struct row *row, const char *name)
{
	int64_t id;
	const char *number;
	bool former = false;
	if (strcmp(row->kind->name, "customer") == 0 &&
	    !customer_named(work->store, name, work->arena, &id, &number, &former, work->err))
		return false;
	return former ? customer_forget_number(work, row->id, name) : remove_row(work, row);
}

bool records_remove(const struct act *act, const struct kind *kind, const char *name, struct error *err)
{
	struct work work;
	struct row row;
	int64_t id;
	if (kind->kept_when_removed)
		return error_set(err, EX_DATAERR, "%s are never removed", kind->many);
	if (kind->added_only && !act->actor.manager)
		return error_set(err, EX_NOPERM, "%s: only a manager may remove them", kind->many);
	if (!work_begin(&work, act, err))
		return false;
	work.unused_files = json_array();
	json_t *files = work.unused_files;
	bool good = work_end(&work, record_find(work.store, kind, name, &id, err) &&
	                                    row_get(work.store, work.arena, kind, id, &row, err) &&
	                                    remove_named(&work, &row, name));
	if (good)
		files_sweep(act->store, files);
	json_decref(files);
	return good;
}

/* -- showing ----------------------------------------------------------------------------------- */

/* An owner by its name outside: a customer's number, a system type's name, else the id. */
bool owner_json(struct customers *store, const struct row *row, json_t *object, struct error *err)
{
	const char *owner = row->kind->owner;
	struct db_query *query = NULL;
	if (strcmp(owner, "customer") == 0)
		query = db_query(store->db, "SELECT number FROM customer WHERE id = ?1");
	else if (strcmp(owner, "system-type") == 0)
		query = db_query(store->db, "SELECT name FROM system_type WHERE id = ?1");
	const char *key = strcmp(owner, "system-type") == 0 ? "system_type" : owner;
	if (query == NULL)
		return json_object_set_new(object, key, json_integer(row->owner)) == 0;
	db_bind_int(query, 1, row->owner);
	enum db_step step = db_step(query, err);
	if (step == DB_FAULT)
		return false;
	json_t *name = step == DB_ROW ? json_string(db_peek_text(query, 0, NULL)) : NULL;
	if (step == DB_ROW)
		db_finish(query);
	return json_object_set_new(object, key, name ? name : json_null()) == 0;
}

static bool show_row(struct customers *store, const struct row *row, struct arena *arena, json_t **ret,
                     struct error *err)
{
	const struct hook *hook = hook_find(row->kind);
	json_t *object = json_object(), *fields = row_json(row, arena);
	(void)json_object_set_new(object, "id", json_integer(row->id));
	bool good = row->kind->owner == NULL || owner_json(store, row, object, err);
	(void)json_object_update(object, fields);
	json_decref(fields);
	good = good && (hook->show == NULL || hook->show(store, row, object, err));
	if (good)
		*ret = object;
	else
		json_decref(object);
	return good;
}

bool records_show(struct customers *store, const struct kind *kind, const char *name, json_t **ret,
                  struct error *err)
{
	struct row row;
	int64_t id;
	struct arena *arena = arena_new();
	bool good = record_find(store, kind, name, &id, err) && row_get(store, arena, kind, id, &row, err) &&
	            show_row(store, &row, arena, ret, err);
	arena_free(arena);
	return good;
}

static bool list_rows(struct customers *store, const struct kind *kind, struct db_query *query, json_t *array,
                      struct error *err)
{
	struct arena *arena = arena_new();
	enum db_step step;
	bool good = true;
	while (good && (step = db_step(query, err)) == DB_ROW) {
		struct row row;
		json_t *object;
		row_read(kind, query, arena, &row);
		good = show_row(store, &row, arena, &object, err) &&
		       json_array_append_new(array, object) == 0;
		arena_reset(arena);
	}
	if (!good)
		db_finish(query);
	arena_free(arena);
	return good && step == DB_DONE;
}

bool records_list(struct customers *store, const struct kind *kind, const char *owner, json_t **ret,
                  struct error *err)
{
	int64_t id = 0;
	bool owned = owner && kind->owner;
	if (owned && !record_find(store, kind_find(kind->owner), owner, &id, err))
		return false;
	const struct kind_sql *sql = row_sql(store, kind);
	struct db_query *query = db_query(store->db, owned ? sql->list : sql->list_all);
	if (owned)
		db_bind_int(query, 1, id);
	json_t *array = json_array();
	if (list_rows(store, kind, query, array, err)) {
		*ret = array;
		return true;
	}
	json_decref(array);
	return false;
}

bool query_texts(struct db_query *query, json_t **ret, struct error *err)
{
	json_t *array = json_array();
	enum db_step step;
	while ((step = db_step(query, err)) == DB_ROW)
		(void)json_array_append_new(array, json_string(db_peek_text(query, 0, NULL)));
	if (step == DB_DONE)
		*ret = array;
	else
		json_decref(array);
	return step == DB_DONE;
}

/* -- completion -------------------------------------------------------------------------------- */

static const char *complete_sql(const struct kind *kind)
{
	if (strcmp(kind->name, "customer") == 0)
		return "SELECT number FROM customer WHERE number >= ?1 AND number < ?1 || char(0x10FFFF)"
		       " ORDER BY number LIMIT ?2";
	if (strcmp(kind->name, "rep") == 0)
		return "SELECT name FROM rep WHERE name >= ?1 AND name < ?1 || char(0x10FFFF) ORDER BY name "
		       "LIMIT ?2";
	if (strcmp(kind->name, "system-type") == 0)
		return "SELECT name FROM system_type WHERE name >= ?1 AND name < ?1 || char(0x10FFFF)"
		       " ORDER BY name LIMIT ?2";
	return "SELECT 1 WHERE ?1 = ?2 AND 0";
}

bool records_complete(struct customers *store, const struct kind *kind, const char *prefix, int limit,
                      json_t **ret, struct error *err)
{
	struct db_query *query = db_query(store->db, complete_sql(kind));
	db_bind_text(query, 1, prefix);
	db_bind_int(query, 2, limit);
	return query_texts(query, ret, err);
}
