/* SPDX-License-Identifier: MIT */
/* The history, read: a customer's with all that hangs on it, one record's, that of the hours. */
#include "records/records.h"

#include "base/jsontext.h"
#include "records/customers_private.h"
#include "records/record_find.h"
#include "records/record_row.h"

#include <string.h>
#include <sysexits.h>

static json_t *change_object(struct db_query *query, int column)
{
	size_t len;
	const char *text = db_peek_text(query, column, &len);
	json_t *object = text ? jsontext_read(text, len, NULL) : NULL;
	return object ? object : json_null();
}

static json_t *change_json(struct db_query *query, struct arena *arena)
{
	char time[INSTANT_TEXT_MAX];
	json_t *user = json_string(db_text(query, 1, arena)),
	       *record = json_integer(db_int(query, 3));
	return json_pack("{s:I, s:s, s:o, s:s, s:o, s:s, s:o, s:o}", "id",
	                 (json_int_t)db_int(query, 7), "time",
	                 instant_format(db_instant(query, 0), 0, time), "user",
	                 user ? user : json_null(), "kind", db_text(query, 2, arena), "record",
	                 record, "action", db_text(query, 4, arena), "before",
	                 change_object(query, 5), "after", change_object(query, 6));
}

/* Also that of customers who had the number and are gone. */
static bool history_ids(struct customers *store, const char *number, int64_t *ret,
                        struct error *err)
{
	struct error none;
	if (record_find(store, kind_find("customer"), number, ret, &none))
		return true;
	if (none.code != EX_NOINPUT) {
		*err = none;
		return false;
	}
	struct db_query *query =
	        db_query(store->db, "SELECT max(customer) FROM removed_customer WHERE number = ?1");
	db_bind_text(query, 1, number);
	if (!db_run_int(query, 0, ret, err))
		return false;
	return *ret != 0 || error_set(err, EX_NOINPUT, "there is no customer %s", number);
}

#define CHANGES "SELECT time, user, kind, record, action, before, after, id FROM change"

static bool changes(struct db_query *query, json_t **ret, struct error *err)
{
	struct arena *arena = arena_new();
	json_t *array = json_array();
	enum db_step step;
	while ((step = db_step(query, err)) == DB_ROW)
		(void)json_array_append_new(array, change_json(query, arena));
	arena_free(arena);
	if (step == DB_DONE)
		*ret = array;
	else
		json_decref(array);
	return step == DB_DONE;
}

bool customer_history(struct customers *store, const char *number, json_t **ret, struct error *err)
{
	int64_t id;
	if (!history_ids(store, number, &id, err))
		return false;
	struct db_query *query = db_query(store->db, CHANGES " WHERE customer = ?1 ORDER BY id");
	db_bind_int(query, 1, id);
	return changes(query, ret, err);
}

bool customer_changes_after(struct customers *store, const char *number, int64_t after,
                            json_t **ret, struct error *err)
{
	int64_t id;
	if (!record_find(store, kind_find("customer"), number, &id, err))
		return false;
	struct db_query *query =
	        db_query(store->db, CHANGES " WHERE customer = ?1 AND id > ?2 ORDER BY id");
	db_bind_int(query, 1, id);
	db_bind_int(query, 2, after);
	return changes(query, ret, err);
}

bool changes_last(struct customers *store, int64_t *ret, struct error *err)
{
	return db_run_int(db_query(store->db, "SELECT coalesce(max(id), 0) FROM change"), 0, ret,
	                  err);
}

bool hours_history(struct customers *store, const char *number, json_t **ret, struct error *err)
{
	int64_t id = 0;
	if (number && !history_ids(store, number, &id, err))
		return false;
	struct db_query *query =
	        db_query(store->db,
	                 number ? CHANGES " WHERE customer = ?1 AND kind = 'hours' ORDER BY id"
	                        : CHANGES " WHERE customer IS NULL AND kind = 'hours' ORDER BY id");
	if (number)
		db_bind_int(query, 1, id);
	return changes(query, ret, err);
}

/* The last one of that name that was removed; 0 where there was none. */
static bool find_removed(struct customers *store, const struct kind *kind, const char *name,
                         int64_t *ret, struct error *err)
{
	struct db_query *query = db_query(
	        store->db, "SELECT record FROM change WHERE customer IS NULL AND kind = ?1 AND"
	                   " action = 'remove' AND json_extract(before, '$.name') = ?2"
	                   " ORDER BY id DESC LIMIT 1");
	db_bind_text(query, 1, kind->name);
	db_bind_text(query, 2, name);
	return db_run_int(query, 0, ret, err);
}

/* The id of one that is there, or of one that is gone. */
static bool find_record(struct customers *store, const struct kind *kind, const char *name,
                        struct row *ret, struct arena *arena, struct error *err)
{
	int64_t id;
	if (record_find(store, kind, name, &id, err))
		return row_get(store, arena, kind, id, ret, err);
	*ret = (struct row){.kind = kind};
	if (err->code != EX_NOINPUT)
		return false;
	if (kind->fields[0].type != FIELD_NAME)
		return record_id(name, &ret->id);
	struct error none = *err;
	if (!find_removed(store, kind, name, &ret->id, err))
		return false;
	*err = none;
	return ret->id != 0;
}

/* By the index of the customers where the record still shows whose it is; for one that is gone, a
 * scan of all changes is fast enough. */
bool record_history(struct customers *store, const struct kind *kind, const char *name,
                    json_t **ret, struct error *err)
{
	struct row row;
	json_t *array = NULL;
	struct arena *arena = arena_new();
	struct db_query *query = NULL;
	bool good = find_record(store, kind, name, &row, arena, err);
	if (good) {
		bool of_customer = kind_is_of_customer(kind) || kind->customer_of;
		bool there = row.customer != 0 || !of_customer;
		query = db_query(
		        store->db,
		        there ? CHANGES
		                " WHERE customer IS ?3 AND kind = ?1 AND record = ?2 ORDER BY id"
		              : CHANGES
		                " WHERE kind = ?1 AND record = ?2 AND ?3 IS NULL ORDER BY id");
		db_bind_text(query, 1, kind->name);
		db_bind_int(query, 2, row.id);
		if (row.customer != 0)
			db_bind_int(query, 3, row.customer);
		good = changes(query, &array, err);
	}
	arena_free(arena);
	if (good && json_array_size(array) == 0)
		good = error_set(err, EX_NOINPUT, "there is no %s %s", kind->name, name);
	if (good)
		*ret = array;
	else
		json_decref(array);
	return good;
}

enum { CHANGED_MAX = 200 };

bool changes_since(struct customers *store, int64_t after, struct arena *arena, int64_t **ret,
                   size_t *ret_n, int64_t *ret_last, struct error *err)
{
	*ret_n = 0;
	*ret = arena_new_array(arena, CHANGED_MAX, int64_t);
	if (!changes_last(store, ret_last, err))
		return false;
	if (after < 0 || after >= *ret_last)
		return true;
	struct db_query *query = db_query(store->db, "SELECT DISTINCT coalesce(customer, 0) FROM "
	                                             "change WHERE id > ?1 AND id <= ?2 LIMIT ?3");
	enum db_step step;
	db_bind_int(query, 1, after);
	db_bind_int(query, 2, *ret_last);
	db_bind_int(query, 3, CHANGED_MAX);
	while ((step = db_step(query, err)) == DB_ROW)
		(*ret)[(*ret_n)++] = db_int(query, 0);
	/* An import of thousands: everybody may be among them. */
	if (*ret_n == CHANGED_MAX) {
		*ret_n = 1;
		(*ret)[0] = 0;
	}
	return step == DB_DONE;
}
