/* SPDX-License-Identifier: MIT */
/* One change of the office's records: its transaction, and what is kept of it until its end. */
#include "records/transaction.h"

#include "records/customers_private.h"
#include "records/customers_write.h"
#include "records/record_content.h"
#include "records/records.h"
#include "records/search_fold.h"

#include <glib.h>
#include <sysexits.h>

static bool failed_before(struct error *err)
{
	return error_set(err, EX_DATAERR, "another of these changes failed");
}

/* SQLite ends a transaction by itself where the disk is full. */
static bool goes_on(const struct customers *store, struct error *err)
{
	return (!store->together.failed && db_in_transaction(store->db)) || failed_before(err);
}

bool transaction_begin(struct transaction *tx, const struct change_context *context,
                       struct error *err)
{
	*tx = (struct transaction){
	        .context = context, .store = context->store, .db = context->store->db, .err = err};
	if (!(tx->store->together.open ? goes_on(tx->store, err)
	                               : customers_write_begin(tx->store, err)))
		return false;
	tx->arena = arena_new();
	return true;
}

bool transaction_end(struct transaction *tx, bool good)
{
	if (tx->store->together.open) {
		good = good && search_refresh(tx->store, tx->err);
		tx->store->together.failed = tx->store->together.failed || !good;
	} else {
		good = customers_write_end(tx->store, good, tx->err);
	}
	tx->arena = arena_free(tx->arena);
	return good;
}

bool changes_begin(struct customers *store, struct error *err)
{
	if (!customers_write_begin(store, err))
		return false;
	store->together = (struct together){.open = true, .files = json_array()};
	return true;
}

bool changes_end(struct customers *store, bool good, struct error *err)
{
	struct together together = store->together;
	store->together = (struct together){0};
	good = customers_write_end(store, good && (!together.failed || failed_before(err)), err);
	files_sweep(store, together.files);
	json_decref(together.files);
	return good;
}

bool transaction_is_claimed(const struct transaction *tx, int64_t contact)
{
	return tx->claimed && g_hash_table_contains(tx->claimed, GSIZE_TO_POINTER((gsize)contact));
}

void transaction_claim(struct transaction *tx, int64_t contact)
{
	if (tx->claimed)
		g_hash_table_add(tx->claimed, GSIZE_TO_POINTER((gsize)contact));
}

bool transaction_needs_manager(struct transaction *tx, const char *what)
{
	return actor_needs_manager(&tx->context->actor, what, tx->err);
}
