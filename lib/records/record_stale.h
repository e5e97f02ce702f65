/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_STALE_H
#define RECORDS_RECORD_STALE_H

#include "records/record_row.h"
#include "records/transaction.h"

/* Whether an import's change takes a newer edit back: notes it. */
bool stale_note(struct transaction *tx, const struct row *before,
                const struct row *after) MUST_CHECK;

#endif
