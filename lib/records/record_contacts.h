/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_CONTACTS_H
#define RECORDS_RECORD_CONTACTS_H

#include "records/record_row.h"
#include "records/transaction.h"

/* `email`, `contact`, `contacts` and `reps` of a customer's values. */
bool people_put(struct transaction *tx, const struct row *row, const json_t *values, bool adding,
                bool *changed) MUST_CHECK;

#endif
