/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_REP_H
#define RECORDS_RECORD_REP_H

#include "records/record_row.h"
#include "records/transaction.h"

/* Operations of sales reps (record_operations.h). */
bool rep_check(struct transaction *tx, const struct row *before, struct row *after,
               const json_t *values);
bool rep_show(struct customers *store, const struct row *row, json_t *object, struct error *err);

/* Ids of the customers that the rep ?1 looks after: those whose first one that is, their sites that
 * have none of their own, and those linked with it. */
#define SQL_LOOKED_AFTER                                                                           \
	"WITH RECURSIVE led(id) AS (SELECT id FROM customer WHERE sales_rep = ?1 UNION"            \
	" SELECT s.id FROM customer s JOIN led ON s.parent = led.id WHERE s.sales_rep IS NULL)"    \
	" SELECT id FROM led UNION"                                                                \
	" SELECT cr.customer FROM customer_rep cr JOIN rep r ON r.id = cr.rep WHERE r.name = ?1"
bool rep_put_link(struct transaction *tx, int64_t customer, int64_t rep, const char *name,
                  bool *ret_linked) MUST_CHECK;
bool rep_take_link(struct transaction *tx, int64_t customer, int64_t rep,
                   const char *name) MUST_CHECK;

#endif
