/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_FILE_TRANSFER_H
#define RECORDS_RECORD_FILE_TRANSFER_H

#include "records/record_row.h"
#include "records/transaction.h"

/* The content of a row that an import brings: found, looked at, taken in. */
bool content_arrives(struct transaction *tx, const struct row *before,
                     struct row *after) MUST_CHECK;

#endif
