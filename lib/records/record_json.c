/* SPDX-License-Identifier: MIT */
/* A row as JSON, without what its kind's operations add, and lists of rows. */
#include "records/record_json.h"

#include "records/customers_private.h"
#include "records/record_row.h"

/* An owner by its name outside: a customer's number, a system type's name, else the id. */
bool owner_json(struct customers *store, const struct row *row, json_t *object, struct error *err)
{
	const struct kind *owner = kind_find(row->kind->owner);
	const char *key = row->kind->owner_key;
	if (owner->fields[0].type != FIELD_NAME)
		return json_object_set_new(object, key, json_integer(row->owner)) == 0;
	struct db_query *query = db_query(store->db, row_sql(store, owner)->name);
	db_bind_int(query, 1, row->owner);
	enum db_step step = db_step(query, err);
	if (step == DB_FAULT)
		return false;
	json_t *name = step == DB_ROW ? json_string(db_peek_text(query, 0, NULL)) : NULL;
	if (step == DB_ROW)
		db_finish(query);
	return json_object_set_new(object, key, name ? name : json_null()) == 0;
}

bool record_json(struct customers *store, const struct row *row, struct arena *arena, json_t **ret,
                 struct error *err)
{
	json_t *object = json_object(), *fields = row_json(row, arena);
	(void)json_object_set_new(object, "id", json_integer(row->id));
	bool good = row->kind->owner == NULL || owner_json(store, row, object, err);
	(void)json_object_update(object, fields);
	json_decref(fields);
	if (good)
		*ret = object;
	else
		json_decref(object);
	return good;
}

static bool add_rows(struct customers *store, const struct kind *kind, struct db_query *query,
                     row_show_fn *show, json_t *array, struct error *err)
{
	struct arena *arena = arena_new();
	enum db_step step;
	bool good = true;
	while (good && (step = db_step(query, err)) == DB_ROW) {
		struct row row;
		json_t *object;
		row_read(kind, query, arena, &row);
		good = show(store, &row, arena, &object, err) &&
		       json_array_append_new(array, object) == 0;
		arena_reset(arena);
	}
	if (!good)
		db_finish(query);
	arena_free(arena);
	return good && step == DB_DONE;
}

bool rows_list(struct customers *store, const struct kind *kind, int64_t owner, row_show_fn *show,
               json_t **ret, struct error *err)
{
	const struct kind_sql *sql = row_sql(store, kind);
	struct db_query *query = db_query(store->db, owner != 0 ? sql->list : sql->list_all);
	json_t *array = json_array();
	if (owner != 0)
		db_bind_int(query, 1, owner);
	if (add_rows(store, kind, query, show, array, err)) {
		*ret = array;
		return true;
	}
	json_decref(array);
	return false;
}
