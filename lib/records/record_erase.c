/* SPDX-License-Identifier: MIT */
/*
 * A customer to erase: the record with everything that belongs to it, its texts in the history, the
 * search index, the files. What stays is that there was one: number, ids, times, who did what, and
 * that it was erased. The engine follows in the spool by `erased` (engine/erase.c).
 *
 * SQLite leaves what is deleted in free pages and in the WAL until it is written over. Here it is
 * wiped at the deletion, and the file is written again where free pages are left from before.
 */
#include "records/record_erase.h"

#include "records/customers_private.h"
#include "records/record_change.h"
#include "records/record_content.h"
#include "records/record_customer.h"
#include "records/record_row.h"
#include "records/records.h"
#include "records/search_fold.h"
#include "records/transaction.h"

#include <sysexits.h>

static bool find(struct transaction *tx, const char *name, struct row *ret)
{
	const char *number;
	int64_t id;
	bool former = false;
	if (!customer_named(tx->store, name, tx->arena, &id, &number, &former, tx->err))
		return false;
	if (former)
		return error_set(tx->err, EX_DATAERR,
		                 "%s is a former number; the customer is %s now", name, number);
	return row_get(tx->store, tx->arena, kind_find("customer"), id, ret, tx->err);
}

/* Contacts may have come from another customer, where their history began. */
static const char *const wipings[] = {
        "UPDATE change SET before = NULL, after = NULL WHERE customer = ?1",
        ("UPDATE change SET before = NULL, after = NULL WHERE kind = 'contact' AND record IN"
         " (SELECT id FROM contact WHERE customer = ?1)"),
        "INSERT OR IGNORE INTO search_stale VALUES (?1)",
        "DELETE FROM customer WHERE id = ?1",
};

/* The index keeps what is deleted from it until its parts are put together. */
bool erase_search(struct customers *customers, struct error *err)
{
	return db_exec(customers->db, "INSERT INTO search (search) VALUES ('optimize')", err);
}

static bool wipe(struct transaction *tx, const struct row *row)
{
	for (size_t i = 0; i < sizeof wipings / sizeof wipings[0]; i++) {
		struct db_query *query = db_query(tx->db, wipings[i]);
		db_bind_int(query, 1, row->id);
		if (!db_run(query, tx->err))
			return false;
	}
	return search_refresh(tx->store, tx->err) && erase_search(tx->store, tx->err);
}

static bool note_erased(struct transaction *tx, const struct row *row)
{
	struct db_query *query =
	        db_query(tx->db, "INSERT INTO erased (number, time) VALUES (?1, ?2)");
	db_bind_text(query, 1, row_value(row, "number"));
	db_bind_instant(query, 2, tx->context->when);
	return db_run(query, tx->err) &&
	       change_add(tx, "customer", row->id, row->id, "erase", NULL, NULL);
}

static bool erase(struct transaction *tx, const char *number)
{
	struct row row;
	return transaction_needs_manager(tx, "erase") && find(tx, number, &row) &&
	       customer_removing(tx, &row) && wipe(tx, &row) && note_erased(tx, &row);
}

bool erase_wiping(struct customers *customers, bool wipes, struct error *err)
{
	return db_exec(customers->db,
	               wipes ? "PRAGMA secure_delete = ON" : "PRAGMA secure_delete = FAST", err);
}

/* What can't be done now (a reader is in the way, the disk is full) is not a fault: the record is
 * gone. */
void erase_clean_up(struct customers *store)
{
	int64_t left = 0;
	struct error ignored;
	if (db_run_int(db_query(store->db, "PRAGMA freelist_count"), 0, &left, &ignored) &&
	    left > 0)
		(void)db_exec(store->db, "VACUUM", &ignored);
	(void)!db_run_int(db_query(store->db, "PRAGMA wal_checkpoint(TRUNCATE)"), 0, &left,
	                  &ignored);
}

bool customer_erase(const struct change_context *context, const char *number, struct error *err)
{
	struct transaction tx;
	if (!erase_wiping(context->store, true, err) || !transaction_begin(&tx, context, err))
		return false;
	json_t *files = tx.unused_files = json_array();
	bool good = transaction_end(&tx, erase(&tx, number));
	if (good) {
		files_sweep(context->store, files);
		erase_clean_up(context->store);
	}
	json_decref(files);
	return erase_wiping(context->store, false, good ? err : NULL) && good;
}
