/* SPDX-License-Identifier: MIT */
/* Sales reps and the customers they are linked with. The first of a customer's reps is its
 * `sales_rep`. */
#include "records/record_rep.h"

#include "records/customers_private.h"
#include "records/record_change.h"
#include "records/record_row.h"
#include "records/transaction.h"

#include <string.h>

/* A rep that is renamed stays the first of its customers. */
bool rep_check(struct transaction *tx, const struct row *before, struct row *after,
               const json_t *values)
{
	const char *was = row_value(before, "name"), *is = row_value(after, "name");
	(void)values;
	if (before->id == 0 || is == NULL || strcmp(was, is) == 0)
		return true;
	struct db_query *query =
	        db_query(tx->db, "UPDATE customer SET sales_rep = ?2 WHERE sales_rep = ?1 AND id IN"
	                         " (SELECT customer FROM customer_rep WHERE rep = ?3)");
	db_bind_text(query, 1, was);
	db_bind_text(query, 2, is);
	db_bind_int(query, 3, before->id);
	return db_run(query, tx->err);
}

bool rep_show(struct customers *store, const struct row *row, json_t *object, struct error *err)
{
	int64_t n;
	struct db_query *query = db_query(store->db, "SELECT count(*) FROM (" SQL_LOOKED_AFTER ")");
	db_bind_text(query, 1, row_value(row, "name"));
	return db_run_int(query, 0, &n, err) &&
	       json_object_set_new(object, "customers", json_integer(n)) == 0;
}

static bool write_link(struct transaction *tx, int64_t customer, int64_t rep, const char *name,
                       const char *sql, const char *action, bool *ret_changed)
{
	struct db_query *query = db_query(tx->db, sql);
	db_bind_int(query, 1, customer);
	db_bind_int(query, 2, rep);
	if (!db_run(query, tx->err))
		return false;
	*ret_changed = db_changes(tx->db) > 0;
	return !*ret_changed ||
	       change_add(tx, "rep", rep, customer, action, NULL, json_pack("{s:s}", "name", name));
}

bool rep_put_link(struct transaction *tx, int64_t customer, int64_t rep, const char *name,
                  bool *ret_linked)
{
	return write_link(tx, customer, rep, name,
	                  "INSERT OR IGNORE INTO customer_rep (customer, rep) VALUES (?1, ?2)",
	                  "link", ret_linked);
}

bool rep_take_link(struct transaction *tx, int64_t customer, int64_t rep, const char *name)
{
	bool unlinked;
	return write_link(tx, customer, rep, name,
	                  "DELETE FROM customer_rep WHERE customer = ?1 AND rep = ?2", "unlink",
	                  &unlinked);
}
