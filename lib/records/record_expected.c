/* SPDX-License-Identifier: MIT */
/* Two people at once: a record's version, and what somebody else changed since one was seen. */
#include "records/record_expected.h"

#include "base/jsontext.h"
#include "records/customers_private.h"
#include "records/record_find.h"
#include "records/records.h"

#include <stdint.h>
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

/* A field's value as a row has it: people spell the same one in several ways. False where it isn't
 * one, which whoever writes it reports. */
static bool canonical(struct transaction *tx, const struct field *field, const json_t *value,
                      const char **ret)
{
	struct error ignored;
	const char *text;
	size_t len;
	return value_text(field->name, value, tx->arena, &text, &len, &ignored) &&
	       field_check(field, text, len, tx->store->zones, tx->arena, ret, &ignored);
}

/* One field that others have changed, from `was`: leaves it out of `mine` where it is given as it
 * was, notes it where both have changed it. */
static void merge_field(struct transaction *tx, const struct row *row, const struct field *field,
                        const json_t *was, json_t *mine, json_t *conflicts)
{
	const char *theirs = row_value(row, field->name), *seen, *given;
	json_t *value = json_object_get(mine, field->name);
	if (value == NULL || !canonical(tx, field, value, &given) ||
	    !canonical(tx, field, was, &seen) || value_same(given, theirs))
		return;
	if (!value_same(given, seen))
		(void)json_object_set_new(conflicts, field->name,
		                          json_pack("{s:O, s:O, s:o}", "was", was, "yours", value,
		                                    "theirs",
		                                    value_json(field, theirs, tx->arena)));
	(void)json_object_del(mine, field->name);
}

bool expected_merge(struct transaction *tx, const struct row *row, const json_t *values,
                    json_t **ret)
{
	struct expected *expected = tx->context->expected;
	const char *name;
	json_t *was, *since = json_object(), *conflicts = json_object();
	*ret = json_copy((json_t *)(uintptr_t)values);
	bool good = expected == NULL || fields_since(tx, row, expected->version, since);
	json_object_foreach(since, name, was)
	{
		const struct field *field = kind_field(row->kind, name);
		if (field != NULL)
			merge_field(tx, row, field, was, *ret, conflicts);
	}
	if (good && json_object_size(conflicts) > 0) {
		expected->conflicts = json_incref(conflicts);
		if (expected->ret_mine)
			*expected->ret_mine = json_incref(*ret);
		good = error_set(tx->err, EX_DATAERR,
		                 "somebody else has changed this in the meantime");
	}
	json_decref(since);
	json_decref(conflicts);
	return good;
}
