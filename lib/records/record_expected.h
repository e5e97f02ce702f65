/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_EXPECTED_H
#define RECORDS_RECORD_EXPECTED_H

#include "records/record_row.h"
#include "records/transaction.h"

#include <jansson.h>

/* False (65) where others have changed meanwhile what `values` change; see struct expected. */
bool expected_holds(struct transaction *tx, const struct row *row, const json_t *values) MUST_CHECK;

#endif
