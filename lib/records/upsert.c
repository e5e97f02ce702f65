/* SPDX-License-Identifier: MIT */
/*
 * Rows of customers from elsewhere, upserted by their number: the customers feed. Many go into one
 * transaction, since a commit and the index of the search cost more than a row; each has a savepoint, so that
 * one which can't be taken leaves nothing behind.
 */
#include "base/jsontext.h"
#include "records/record_private.h"

#include <string.h>
#include <sysexits.h>

/* One who is named by a number that it had before keeps its own. */
static bool put(struct work *work, const struct row *row, const json_t *values, const char *number)
{
	if (row->id == 0 || strcmp(row_value(row, "number"), number) == 0)
		return record_put(work, row, values, NULL, NULL);
	json_t *without = json_copy((json_t *)(uintptr_t)values);
	(void)json_object_del(without, "number");
	bool good = record_put(work, row, without, NULL, NULL);
	json_decref(without);
	return good;
}

static bool upsert(struct work *work, const json_t *values)
{
	const struct kind *kind = kind_find("customer");
	const json_t *number = json_object_get(values, "number");
	const char *text, *canonical;
	struct row row;
	size_t len;
	int64_t id;
	if (!json_is_object(values))
		return error_set(work->err, EX_DATAERR, "a customer is an object of fields");
	if (number == NULL)
		return error_set(work->err, EX_DATAERR, "number: is needed");
	if (!value_fits("number", kind_field(kind, "number"), number, work->err) ||
	    !value_text("number", number, work->arena, &text, &len, work->err) ||
	    !field_check(kind_field(kind, "number"), text, len, work->store->zones, work->arena, &canonical,
	                 work->err))
		return false;
	if (canonical == NULL)
		return error_set(work->err, EX_DATAERR, "number: is needed and may not be empty");
	return customer_id(work->store, canonical, &id, work->err) &&
	       row_get(work->store, work->arena, kind, id, &row, work->err) &&
	       put(work, &row, values, canonical);
}

static bool forget(struct work *work, struct error *err)
{
	return db_run(db_query(work->db, "ROLLBACK TO upsert"), err) &&
	       db_run(db_query(work->db, "RELEASE upsert"), err);
}

/* False where the database is at fault. */
static bool upsert_row(struct work *work, struct records_upsert *row, struct error *err)
{
	db_answer_clear(work->db);
	if (!db_run(db_query(work->db, "SAVEPOINT upsert"), err))
		return false;
	work->err = &row->err;
	work->noted = 0; /* what was noted may go with a savepoint */
	json_t *values = jsontext_read(row->json, row->len, work->err);
	bool good = values && upsert(work, values);
	json_decref(values);
	row->refused = !good && db_input_fault(work->db, work->err);
	arena_reset(work->arena);
	work->err = err;
	if (good)
		return db_run(db_query(work->db, "RELEASE upsert"), err);
	if (!row->refused)
		*err = row->err;
	return row->refused && forget(work, err);
}

bool records_upsert(const struct act *act, struct records_upsert *rows, size_t n, struct error *err)
{
	struct work work;
	if (!work_begin(&work, act, err))
		return false;
	work.import = true;
	bool good = true;
	for (size_t i = 0; good && i < n; i++)
		good = upsert_row(&work, &rows[i], err);
	return work_end(&work, good);
}
