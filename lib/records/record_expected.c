/* SPDX-License-Identifier: MIT */
/* Two people at once: a record's version, and what somebody else changed since one was seen. */
#include "records/record_expected.h"

#include "base/jsontext.h"
#include "records/customers_private.h"
#include "records/record_find.h"
#include "records/record_system.h"
#include "records/records.h"

#include <stdint.h>
#include <string.h>
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

static json_t *read_object(struct db_query *query, int column)
{
	size_t len;
	const char *text = db_peek_text(query, column, &len);
	return text ? jsontext_read(text, len, NULL) : NULL;
}

/* What the fields were that others have changed since, and are: the oldest `before` of each and the
 * latest `after`. */
static bool fields_since(struct transaction *tx, const struct row *row, int64_t version,
                         json_t *ret_was, json_t *ret_is)
{
	struct db_query *query =
	        changes_of(tx->store,
	                   "SELECT before, after FROM change WHERE customer IS ?3 AND"
	                   " kind = ?1 AND record = ?2 AND id > ?4 ORDER BY id",
	                   row);
	enum db_step step;
	db_bind_int(query, 4, version);
	while ((step = db_step(query, tx->err)) == DB_ROW) {
		json_t *before = read_object(query, 0), *after = read_object(query, 1);
		if (before)
			(void)json_object_update_missing(ret_was, before);
		if (after)
			(void)json_object_update(ret_is, after);
		json_decref(before);
		json_decref(after);
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

/* A field that others have changed. */
struct changed {
	const struct field *field;
	const json_t *was;  /* before that */
	const char *theirs; /* now; NULL for none */
	json_t *shown;      /* that as people are shown it */
};

static json_t *conflict_json(const struct changed *changed, json_t *yours)
{
	bool secret = changed->theirs && strcmp(changed->theirs, SECRET_HIDDEN) == 0;
	return json_pack("{s:O, s:o, s:O}", "was", changed->was, "yours",
	                 secret ? json_string(SECRET_HIDDEN) : json_incref(yours), "theirs",
	                 changed->shown);
}

/* Leaves it out of `mine` where it is given as it was, notes it where both have changed it. */
static void merge_field(struct transaction *tx, const struct changed *changed, json_t *mine,
                        json_t *conflicts)
{
	const char *name = changed->field->name, *seen, *given;
	json_t *value = json_object_get(mine, name);
	if (value == NULL || !canonical(tx, changed->field, value, &given) ||
	    !canonical(tx, changed->field, changed->was, &seen) ||
	    value_same(given, changed->theirs))
		return;
	if (!value_same(given, seen))
		(void)json_object_set_new(conflicts, name, conflict_json(changed, value));
	(void)json_object_del(mine, name);
}

/* What the kind has no field for is a text of its own: a field of a system's type. Two secrets
 * can't be compared, so that two new ones are a conflict. */
static void merge(struct transaction *tx, const struct row *row, const char *name,
                  const json_t *was, json_t *is, json_t *mine, json_t *conflicts)
{
	const struct field *field = kind_field(row->kind, name);
	const struct field line = {.name = name, .type = FIELD_TEXT};
	json_t *fields = json_object_get(mine, "fields");
	struct changed changed = {.field = field ? field : &line, .was = was};
	if (field) {
		changed.theirs = row_value(row, name);
		changed.shown = value_json(field, changed.theirs, tx->arena);
	} else if (is && canonical(tx, &line, is, &changed.theirs)) {
		changed.shown = json_incref(is);
	} else {
		return;
	}
	merge_field(tx, &changed, field == NULL && fields ? fields : mine, conflicts);
	json_decref(changed.shown);
}

bool expected_merge(struct transaction *tx, const struct row *row, const json_t *values,
                    json_t **ret)
{
	struct expected *expected = tx->context->expected;
	const char *name;
	json_t *was, *since = json_object(), *now = json_object(), *conflicts = json_object();
	*ret = json_deep_copy(values);
	bool good = expected == NULL || fields_since(tx, row, expected->version, since, now);
	json_object_foreach(since, name, was)
	{
		merge(tx, row, name, was, json_object_get(now, name), *ret, conflicts);
	}
	if (good && json_object_size(conflicts) > 0) {
		expected->conflicts = json_incref(conflicts);
		if (expected->ret_mine)
			*expected->ret_mine = json_incref(*ret);
		good = error_set(tx->err, EX_DATAERR,
		                 "somebody else has changed this in the meantime");
	}
	json_decref(since);
	json_decref(now);
	json_decref(conflicts);
	return good;
}
