/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_CUSTOMER_H
#define RECORDS_RECORD_CUSTOMER_H

#include "records/record_row.h"
#include "records/transaction.h"

/* A customer's operations (record_operations.h). */
bool customer_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values);
bool customer_written(struct transaction *tx, const struct row *row, const json_t *values,
                      bool adding, bool *changed);
bool customer_removing(struct transaction *tx, const struct row *row);

/* Whether the sites of `from` would be no deeper than may be with `into` as their parent. */
bool customer_sites_fit(struct transaction *tx, int64_t from, int64_t into, bool *ret) MUST_CHECK;

#endif
