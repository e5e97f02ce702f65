/* SPDX-License-Identifier: MIT */
/* Adding, changing and removing records of every kind, each in a transaction of its own. */
#include "records/records.h"

#include "records/record_change.h"
#include "records/record_content.h"
#include "records/record_expected.h"
#include "records/record_find.h"
#include "records/record_operations.h"
#include "records/record_row.h"
#include "records/record_write.h"
#include "records/transaction.h"

#include <string.h>
#include <sysexits.h>

static bool find_owner(struct transaction *tx, const struct kind *kind, const char *owner,
                       int64_t *ret)
{
	*ret = 0;
	if (kind->owner == NULL)
		return true;
	if (owner == NULL)
		return error_set(tx->err, EX_USAGE, "%s: which %s it belongs to is missing",
		                 kind->name, kind->owner);
	return record_find(tx->store, kind_find(kind->owner), owner, ret, tx->err);
}

bool records_add(const struct change_context *context, const struct kind *kind, const char *owner,
                 const json_t *values, int64_t *ret_id, struct error *err)
{
	struct transaction tx;
	struct row row;
	int64_t owner_id;
	if (!transaction_begin(&tx, context, err))
		return false;
	return transaction_end(&tx, find_owner(&tx, kind, owner, &owner_id) &&
	                                    row_new(&tx, kind, owner_id, &row) &&
	                                    record_put(&tx, &row, values, ret_id, NULL));
}

bool records_set(const struct change_context *context, const struct kind *kind, const char *name,
                 const json_t *values, struct error *err)
{
	struct transaction tx;
	struct row row;
	int64_t id;
	if (kind->added_only)
		return error_set(err, EX_DATAERR, "%s are only added, never changed", kind->many);
	if (!transaction_begin(&tx, context, err))
		return false;
	json_t *mine = NULL;
	bool good = record_find(tx.store, kind, name, &id, err) &&
	            row_get(tx.store, tx.arena, kind, id, &row, err) &&
	            expected_merge(&tx, &row, values, &mine) &&
	            record_put(&tx, &row, mine, NULL, NULL);
	json_decref(mine);
	return transaction_end(&tx, good);
}

/* -- removing ---------------------------------------------------------------------------------- */

static bool remove_row(struct transaction *tx, const struct row *row)
{
	const struct kind_operations *operations = operations_find(row->kind);
	const struct row nothing = {.kind = row->kind};
	if (operations->removing && !operations->removing(tx, row))
		return false;
	struct db_query *query = db_query(tx->db, row_sql(tx->store, row->kind)->remove);
	db_bind_int(query, 1, row->id);
	if (!db_run(query, tx->err)) {
		if (db_answer(tx->db) == DB_CONSTRAINT)
			return error_set(tx->err, EX_DATAERR, "this %s is still in use",
			                 row->kind->name);
		return false;
	}
	return change_row(tx, row, &nothing, "remove");
}

/* By a number that a customer had before only that name goes. */
static bool remove_named(struct transaction *tx, const struct row *row, const char *name)
{
	int64_t id;
	const char *number;
	bool former = false;
	if (row->kind->is_customer &&
	    !customer_named(tx->store, name, tx->arena, &id, &number, &former, tx->err))
		return false;
	return former ? customer_forget_number(tx, row->id, name) : remove_row(tx, row);
}

bool records_remove(const struct change_context *context, const struct kind *kind, const char *name,
                    struct error *err)
{
	struct transaction tx;
	struct row row;
	int64_t id;
	if (kind->kept_when_removed)
		return error_set(err, EX_DATAERR, "%s are never removed", kind->many);
	if (kind->added_only && !context->actor.manager)
		return error_set(err, EX_NOPERM, "%s: only a manager may remove them", kind->many);
	if (!transaction_begin(&tx, context, err))
		return false;
	tx.unused_files = json_array();
	json_t *files = tx.unused_files;
	bool good = transaction_end(&tx, record_find(tx.store, kind, name, &id, err) &&
	                                         row_get(tx.store, tx.arena, kind, id, &row, err) &&
	                                         remove_named(&tx, &row, name));
	if (good)
		files_sweep(context->store, files);
	json_decref(files);
	return good;
}
