/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_HOURS_H
#define RECORDS_RECORD_HOURS_H

#include "records/transaction.h"

bool hours_json(struct customers *store, int64_t customer, json_t **ret,
                struct error *err) MUST_CHECK;
/* Replaces a customer's hours as a whole; null clears them. */
bool hours_put(struct transaction *tx, int64_t customer, const json_t *hours,
               bool *changed) MUST_CHECK;

#endif
