/* SPDX-License-Identifier: MIT */
/* Two people at once: a record's version, and what somebody else changed since one was seen. */
#include "records/record_expected.h"

#include "base/jsontext.h"
#include "records/customers_private.h"
#include "records/record_find.h"
#include "records/records.h"

#include <sysexits.h>

/* Changes of a record whose customer (0: none) is known, by the index of the customers. */
static struct db_query *changes_of(struct customers *store, const char *sql, const struct row *row)
{
	struct db_query *query = db_query(store->db, sql);
	db_bind_text(query, 1, row->kind->name);
	db_bind_int(query, 2, row->id);
	if (row->customer != 0)
		db_bind_int(query, 3, row->customer);
	return query;
}

bool record_version(struct customers *store, const struct kind *kind, const char *name,
                    int64_t *ret, struct error *err)
{
	struct row row;
	int64_t id;
	struct arena *arena = arena_new();
	bool good = record_find(store, kind, name, &id, err) &&
	            row_get(store, arena, kind, id, &row, err) &&
	            db_run_int(changes_of(store,
	                                  "SELECT max(id) FROM change WHERE customer IS ?3 AND"
	                                  " kind = ?1 AND record = ?2",
	                                  &row),
	                       0, ret, err);
	arena_free(arena);
	return good;
}

/* What the fields were that others have changed since: the oldest `before` of each. */
static bool fields_since(struct transaction *tx, const struct row *row, int64_t version,
                         json_t *ret)
{
	struct db_query *query = changes_of(tx->store,
	                                    "SELECT before FROM change WHERE customer IS ?3 AND"
	                                    " kind = ?1 AND record = ?2 AND id > ?4 ORDER BY id",
	                                    row);
	enum db_step step;
	db_bind_int(query, 4, version);
	while ((step = db_step(query, tx->err)) == DB_ROW) {
		size_t len;
		const char *text = db_peek_text(query, 0, &len);
		json_t *before = text ? jsontext_read(text, len, NULL) : NULL;
		if (before)
			(void)json_object_update_missing(ret, before);
		json_decref(before);
	}
	return step == DB_DONE;
}

/* Notes a field that both have changed to different values. */
static void compare(const char *name, json_t *was, json_t *yours, json_t *theirs, json_t *conflicts)
{
	if (yours == NULL || json_equal(yours, theirs) || json_equal(yours, was))
		return;
	(void)json_object_set_new(
	        conflicts, name,
	        json_pack("{s:O, s:O, s:O}", "was", was, "yours", yours, "theirs", theirs));
}

bool expected_holds(struct transaction *tx, const struct row *row, const json_t *values)
{
	struct expected *expected = tx->context->expected;
	const char *name;
	json_t *was;
	if (expected == NULL)
		return true;
	json_t *since = json_object(), *now = row_json(row, tx->arena), *conflicts = json_object();
	bool good = fields_since(tx, row, expected->version, since);
	json_object_foreach(since, name, was)
	{
		json_t *theirs = json_object_get(now, name);
		compare(name, was, json_object_get(values, name), theirs ? theirs : json_null(),
		        conflicts);
	}
	json_decref(since);
	json_decref(now);
	if (good && json_object_size(conflicts) > 0) {
		expected->conflicts = conflicts;
		return error_set(tx->err, EX_DATAERR, "somebody else has changed this meanwhile");
	}
	json_decref(conflicts);
	return good;
}
