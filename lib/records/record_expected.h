/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_EXPECTED_H
#define RECORDS_RECORD_EXPECTED_H

#include "records/record_row.h"
#include "records/transaction.h"

#include <jansson.h>

/* What of `values` is to be written to a row that others may have changed meanwhile; see struct
 * expected. *ret is the caller's. False (65) where both have changed a field. */
bool expected_merge(struct transaction *tx, const struct row *row, const json_t *values,
                    json_t **ret) MUST_CHECK;

#endif
