/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_WRITE_H
#define RECORDS_RECORD_WRITE_H

#include "records/record_row.h"
#include "records/transaction.h"

/* Adds or changes within a transaction. `before` is what is there (id 0: add). *ret_changed may be
 * NULL. */
bool record_put(struct transaction *tx, const struct row *before, const json_t *values,
                int64_t *ret_id, bool *ret_changed) MUST_CHECK;
/* The same in two steps, for values that are checked already: a copy to change, with initial values
 * where it is added; and writing it. `values` holds what isn't a field. */
struct row row_start(const struct row *before);
bool record_write(struct transaction *tx, const struct row *before, struct row *after,
                  const json_t *values, bool *ret_changed) MUST_CHECK;

#endif
