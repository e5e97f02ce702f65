/* SPDX-License-Identifier: MIT */
/* Which of the sales reps look after a customer. The first of them is its `sales_rep`. */
#include "records/records.h"

#include "records/record_find.h"
#include "records/record_rep.h"
#include "records/record_row.h"
#include "records/record_write.h"
#include "records/transaction.h"

#include <string.h>

struct link {
	struct row customer;
	int64_t rep;
};

static bool find_link(struct transaction *tx, const char *number, const char *rep, struct link *ret)
{
	int64_t id;
	return record_find(tx->store, kind_find("customer"), number, &id, tx->err) &&
	       row_get(tx->store, tx->arena, kind_find("customer"), id, &ret->customer, tx->err) &&
	       record_find(tx->store, kind_find("rep"), rep, &ret->rep, tx->err);
}

static bool set_first(struct transaction *tx, const struct link *link, const char *name)
{
	json_t *values = json_object();
	(void)json_object_set_new(values, "sales_rep", name ? json_string(name) : json_null());
	bool good = record_put(tx, &link->customer, values, NULL, NULL);
	json_decref(values);
	return good;
}

bool rep_link(const struct change_context *context, const char *number, const char *rep, bool first,
              struct error *err)
{
	struct transaction tx;
	struct link link;
	bool linked;
	if (!transaction_begin(&tx, context, err))
		return false;
	return transaction_end(
	        &tx, find_link(&tx, number, rep, &link) &&
	                     rep_put_link(&tx, link.customer.id, link.rep, rep, &linked) &&
	                     (!first || set_first(&tx, &link, rep)));
}

bool rep_unlink(const struct change_context *context, const char *number, const char *rep,
                struct error *err)
{
	struct transaction tx;
	struct link link;
	if (!transaction_begin(&tx, context, err))
		return false;
	if (!find_link(&tx, number, rep, &link))
		return transaction_end(&tx, false);
	const char *first = row_value(&link.customer, "sales_rep");
	return transaction_end(&tx, rep_take_link(&tx, link.customer.id, link.rep, rep) &&
	                                    (first == NULL || strcmp(first, rep) != 0 ||
	                                     set_first(&tx, &link, NULL)));
}
