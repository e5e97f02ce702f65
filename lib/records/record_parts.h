/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_PARTS_H
#define RECORDS_RECORD_PARTS_H

#include "records/record_row.h"
#include "records/transaction.h"

/* Operations of quotes and sales, which come with items and payments (record_operations.h). */
bool parts_written(struct transaction *tx, const struct row *row, const json_t *values, bool adding,
                   bool *changed);
bool quote_show(struct customers *store, const struct row *row, json_t *object, struct error *err);
bool sale_check(struct transaction *tx, const struct row *before, struct row *after,
                const json_t *values);
bool sale_show(struct customers *store, const struct row *row, json_t *object, struct error *err);

#endif
