/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_CHECKS_H
#define RECORDS_RECORD_CHECKS_H

#include "records/record_row.h"
#include "records/transaction.h"

/* Checks of kinds that need nothing besides (record_operations.h). */
bool contact_check(struct transaction *tx, const struct row *before, struct row *after,
                   const json_t *values);
bool suspension_check(struct transaction *tx, const struct row *before, struct row *after,
                      const json_t *values);
bool authored_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values);
bool asset_check(struct transaction *tx, const struct row *before, struct row *after,
                 const json_t *values);
bool activity_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values);
bool file_check(struct transaction *tx, const struct row *before, struct row *after,
                const json_t *values);
/* One that becomes the plan takes that from the customer's other one. */
bool picture_check(struct transaction *tx, const struct row *before, struct row *after,
                   const json_t *values);
/* The picture that was the customer's plan, if any, is none anymore; in the history, too. */
bool picture_clear_plan(struct transaction *tx, int64_t customer);
/* Its file may be unused from then on. */
bool file_removing(struct transaction *tx, const struct row *row);

#endif
