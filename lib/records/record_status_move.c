/* SPDX-License-Identifier: MIT */
/* `release`, `approve`, `decline`, `deactivate`: a customer's status by verb. */
#include "records/records.h"

#include "records/record_find.h"
#include "records/record_row.h"
#include "records/record_status.h"
#include "records/record_write.h"
#include "records/transaction.h"

#include <string.h>
#include <sysexits.h>

static bool known_verb(const char *verb, bool *ret_anybody)
{
	for (size_t i = 0; i < n_customer_moves; i++) {
		if (strcmp(customer_moves[i].verb, verb) != 0)
			continue;
		*ret_anybody = customer_moves[i].anybody;
		return true;
	}
	return false;
}

static bool move_to(struct transaction *tx, const struct row *row, const char *verb)
{
	const char *status = row_value(row, "status");
	for (size_t i = 0; i < n_customer_moves; i++) {
		if (strcmp(customer_moves[i].verb, verb) != 0 ||
		    strcmp(customer_moves[i].from, status) != 0)
			continue;
		json_t *values = json_pack("{s:s}", "status", customer_moves[i].to);
		bool good = record_put(tx, row, values, NULL, NULL);
		json_decref(values);
		return good;
	}
	return error_set(tx->err, EX_DATAERR, "%s: customer %s is %s", verb,
	                 row_value(row, "number"), status);
}

bool customer_move(const struct change_context *context, const char *number, const char *verb,
                   struct error *err)
{
	const struct kind *kind = kind_find("customer");
	struct transaction tx;
	struct row row;
	int64_t id;
	bool anybody;
	if (!known_verb(verb, &anybody))
		return error_set(err, EX_USAGE,
		                 "%s: expected release, approve, decline or deactivate", verb);
	return transaction_begin(&tx, context, err) &&
	       transaction_end(&tx, (anybody || transaction_needs_manager(&tx, verb)) &&
	                                    record_find(tx.store, kind, number, &id, err) &&
	                                    row_get(tx.store, tx.arena, kind, id, &row, err) &&
	                                    move_to(&tx, &row, verb));
}
