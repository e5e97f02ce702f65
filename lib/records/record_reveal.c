/* SPDX-License-Identifier: MIT */
/* Secrets of systems in clear: a manager's work, and on record before anything is shown. */
#include "records/records.h"

#include "records/customers_private.h"
#include "records/record_change.h"
#include "records/record_find.h"
#include "records/record_row.h"
#include "records/record_system.h"
#include "records/transaction.h"

#include <sodium.h>

/* That somebody looked is on record before anything is shown. */
static bool reveal(struct transaction *tx, const char *id, struct row *row, json_t **ret)
{
	const struct kind *kind = kind_find("system");
	unsigned char key[SYSTEM_KEY_SIZE];
	int64_t system;
	json_t *fields;
	if (!transaction_needs_manager(tx, "reveal") ||
	    !record_find(tx->store, kind, id, &system, tx->err) ||
	    !row_get(tx->store, tx->arena, kind, system, row, tx->err) ||
	    !system_read_key(tx->store, key, tx->err))
		return false;
	bool good = system_fields_json(tx->store, row, key, &fields, tx->err);
	sodium_memzero(key, sizeof key);
	if (good)
		*ret = fields;
	return good && change_add(tx, "system", row->id, row->customer, "reveal", NULL, NULL);
}

bool system_reveal(const struct change_context *context, const char *id, json_t **ret,
                   struct error *err)
{
	struct transaction tx;
	struct row row;
	json_t *fields = NULL, *object = NULL;
	if (!transaction_begin(&tx, context, err))
		return false;
	if (transaction_end(&tx, reveal(&tx, id, &row, &fields)) &&
	    records_show(context->store, kind_find("system"), id, &object, err)) {
		(void)json_object_set(object, "fields", fields);
		*ret = object;
	}
	json_decref(fields);
	return object != NULL;
}

/* Without a secret there is no need for a key. */
static bool reveal_all(struct transaction *tx, bool *ret_any)
{
	unsigned char key[SYSTEM_KEY_SIZE];
	if (!transaction_needs_manager(tx, "reveal"))
		return false;
	struct db_query *query = db_query(
	        tx->db,
	        "INSERT INTO change (time, user, kind, record, customer, action)"
	        " SELECT ?1, ?2, 'system', id, customer, 'reveal' FROM system s WHERE EXISTS"
	        " (SELECT 1 FROM system_value v WHERE v.system = s.id AND v.sealed IS NOT NULL)");
	db_bind_instant(query, 1, tx->context->when);
	db_bind_text(query, 2, tx->context->actor.user);
	if (!db_run(query, tx->err))
		return false;
	*ret_any = db_changes(tx->db) > 0;
	bool good = !*ret_any || system_read_key(tx->store, key, tx->err);
	sodium_memzero(key, sizeof key);
	return good;
}

bool systems_reveal(const struct change_context *context, struct error *err)
{
	struct transaction tx;
	bool any = false;
	if (!transaction_begin(&tx, context, err) || !transaction_end(&tx, reveal_all(&tx, &any)))
		return false;
	context->store->revealing = any;
	return true;
}
