/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_STATUS_H
#define RECORDS_RECORD_STATUS_H

#include "records/transaction.h"

/* The moves between a customer's states. */
struct customer_move {
	const char *from, *to, *verb;
	bool anybody; /* else a manager's work */
};
extern const struct customer_move customer_moves[];
extern const size_t n_customer_moves;
/* Whether this actor may change the status so. */
bool customer_check_status(struct transaction *tx, const char *from, const char *to) MUST_CHECK;

#endif
