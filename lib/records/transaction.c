/* SPDX-License-Identifier: MIT */
/* One change of the office's records: its transaction, and what is kept of it until its end. */
#include "records/transaction.h"

#include "records/customers_private.h"
#include "records/records.h"
#include "records/search_fold.h"

#include <glib.h>
bool transaction_begin(struct transaction *tx, const struct change_context *context,
                       struct error *err)
{
	*tx = (struct transaction){
	        .context = context, .store = context->store, .db = context->store->db, .err = err};
	if (!db_begin(tx->db, err))
		return false;
	tx->arena = arena_new();
	return true;
}

bool transaction_end(struct transaction *tx, bool good)
{
	good = good && search_refresh(tx->store, tx->err);
	if (good)
		good = db_commit(tx->db, tx->err);
	else
		db_rollback(tx->db);
	tx->arena = arena_free(tx->arena);
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
