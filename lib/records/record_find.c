/* SPDX-License-Identifier: MIT */
/*
 * Records by their names: customers by number, those that they had before too, reps and types of
 * systems by name, all others by id.
 */
#include "records/record_find.h"

#include "base/utf8.h"
#include "model/key.h"
#include "records/customers_private.h"
#include "records/record_row.h"
#include "records/records.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

bool customer_id(struct customers *store, const char *number, int64_t *ret, struct error *err)
{
	struct db_query *query = db_query(
	        store->db, "SELECT id FROM customer WHERE number = ?1 UNION ALL"
	                   " SELECT customer FROM former_number WHERE number = ?1 LIMIT 1");
	db_bind_text(query, 1, number);
	return db_run_int(query, 0, ret, err);
}

/* A name as somebody pasted it. What is on record as it is typed wins: that may have come from
 * elsewhere. */
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

static bool find_id(struct customers *store, const struct kind *kind, const char *name,
                    int64_t *ret, struct error *err)
{
	struct row row;
	int64_t id;
	*ret = 0;
	if (kind->is_customer)
		return customer_id(store, name, ret, err);
	if (kind->fields[0].type == FIELD_NAME) {
		struct db_query *query = db_query(store->db, row_sql(store, kind)->find);
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
	bool good =
	        clean_name(name, arena, &clean, err) &&
	        (strcmp(clean, name) == 0 || find_id(store, kind, clean, ret, err)) &&
	        (*ret != 0 || error_set(err, EX_NOINPUT, "there is no %s %s", kind->name, clean));
	arena_free(arena);
	return good;
}

bool customer_named(struct customers *store, const char *name, struct arena *arena, int64_t *ret_id,
                    const char **ret_number, bool *ret_former, struct error *err)
{
	const char *clean = name;
	size_t len = strlen(name);
	int64_t id;
	if (!record_find(store, kind_find("customer"), name, &id, err))
		return false;
	key_trim(&clean, &len);
	if (utf8_valid(clean, len) && !key_clean("name", clean, len, arena, &clean, err))
		return false;
	struct db_query *query = db_query(store->db, "SELECT number FROM customer WHERE id = ?1");
	db_bind_int(query, 1, id);
	enum db_step step = db_step(query, err);
	if (step == DB_DONE)
		return error_set(err, EX_NOINPUT, "there is no customer %s", name);
	if (step != DB_ROW)
		return false;
	const char *number = db_text(query, 0, arena);
	db_finish(query);
	*ret_id = id;
	*ret_number = number;
	*ret_former = strcmp(number, name) != 0 && strcmp(number, clean) != 0;
	return true;
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

bool records_complete(struct customers *store, const struct kind *kind, const char *prefix,
                      int limit, json_t **ret, struct error *err)
{
	if (kind->fields[0].type != FIELD_NAME) {
		*ret = json_array();
		return true;
	}
	struct db_query *query = db_query(store->db, row_sql(store, kind)->complete);
	db_bind_text(query, 1, prefix);
	db_bind_int(query, 2, limit);
	return query_texts(query, ret, err);
}
