/* SPDX-License-Identifier: MIT */
/*
 * Rows of customers from elsewhere, upserted by their number: the customers feed. Many go into one
 * transaction, since a commit and the index of the search cost more than a row; each has a
 * savepoint, so that one which can't be taken leaves nothing behind.
 */
#include "records/records.h"

#include "base/jsontext.h"
#include "records/customers_private.h"
#include "records/record_find.h"
#include "records/record_row.h"
#include "records/record_write.h"
#include "records/transaction.h"

#include <string.h>
#include <sysexits.h>

/* One who is named by a number that it had before keeps its own. */
static bool put(struct transaction *tx, const struct row *row, const json_t *values,
                const char *number)
{
	if (row->id == 0 || strcmp(row_value(row, "number"), number) == 0)
		return record_put(tx, row, values, NULL, NULL);
	json_t *without = json_copy((json_t *)(uintptr_t)values);
	(void)json_object_del(without, "number");
	bool good = record_put(tx, row, without, NULL, NULL);
	json_decref(without);
	return good;
}

static bool upsert(struct transaction *tx, const json_t *values)
{
	const struct kind *kind = kind_find("customer");
	const json_t *number = json_object_get(values, "number");
	const char *text, *canonical;
	struct row row;
	size_t len;
	int64_t id;
	if (!json_is_object(values))
		return error_set(tx->err, EX_DATAERR, "expected a customer as an object of fields");
	if (number == NULL)
		return error_set(tx->err, EX_DATAERR, "number: is required");
	if (!value_fits("number", kind_field(kind, "number"), number, tx->err) ||
	    !value_text("number", number, tx->arena, &text, &len, tx->err) ||
	    !field_check(kind_field(kind, "number"), text, len, tx->store->zones, tx->arena,
	                 &canonical, tx->err))
		return false;
	if (canonical == NULL)
		return error_set(tx->err, EX_DATAERR, "number: is required and can't be empty");
	return customer_id(tx->store, canonical, &id, tx->err) &&
	       row_get(tx->store, tx->arena, kind, id, &row, tx->err) &&
	       put(tx, &row, values, canonical);
}

static bool forget(struct transaction *tx, struct error *err)
{
	return db_run(db_query(tx->db, "ROLLBACK TO upsert"), err) &&
	       db_run(db_query(tx->db, "RELEASE upsert"), err);
}

/* False where the database is at fault. */
static bool upsert_row(struct transaction *tx, struct records_upsert *row, struct error *err)
{
	db_answer_clear(tx->db);
	if (!db_run(db_query(tx->db, "SAVEPOINT upsert"), err))
		return false;
	tx->err = &row->err;
	tx->noted = 0; /* what was noted may go with a savepoint */
	json_t *values = jsontext_read(row->json, row->len, tx->err);
	bool good = values && upsert(tx, values);
	json_decref(values);
	row->refused = !good && db_input_fault(tx->db, tx->err);
	arena_reset(tx->arena);
	tx->err = err;
	if (good)
		return db_run(db_query(tx->db, "RELEASE upsert"), err);
	if (!row->refused)
		*err = row->err;
	return row->refused && forget(tx, err);
}

bool records_upsert(const struct change_context *context, struct records_upsert *rows, size_t n,
                    struct error *err)
{
	struct transaction tx;
	if (!transaction_begin(&tx, context, err))
		return false;
	tx.import = true;
	bool good = true;
	for (size_t i = 0; good && i < n; i++)
		good = upsert_row(&tx, &rows[i], err);
	return transaction_end(&tx, good);
}
