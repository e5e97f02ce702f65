/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_CHANGE_H
#define RECORDS_RECORD_CHANGE_H

#include "records/record_row.h"
#include "records/transaction.h"

/* `before`, `after`: objects, stolen; NULL for nothing. */
bool change_add(struct transaction *tx, const char *kind, int64_t record, int64_t customer,
                const char *action, json_t *before, json_t *after) MUST_CHECK;
bool row_differs(const struct row *before, const struct row *after);
/* The fields that differ; `id` 0 in one of the two: added or removed. Secrets are redacted. */
bool change_row(struct transaction *tx, const struct row *before, const struct row *after,
                const char *action) MUST_CHECK;
/* A number that it had before, as customer_named() finds it, no longer names it. */
bool customer_forget_number(struct transaction *tx, int64_t customer, const char *name) MUST_CHECK;

#endif
