/* SPDX-License-Identifier: MIT */
/* The status of a customer: which moves there are, and whose work each is. */
#include "records/record_status.h"

#include "records/records.h"
#include "records/transaction.h"

#include <string.h>
#include <sysexits.h>

/* The moves that there are, a manager's work unless marked. Whatever changes a status, by verb, by
 * field or by import, goes by these. */
const struct customer_move customer_moves[] = {
        {.from = "new", .to = "released", .verb = "release", .anybody = true},
        {.from = "released", .to = "active", .verb = "approve"},
        {.from = "released", .to = "new", .verb = "decline"},
        {.from = "active", .to = "inactive", .verb = "deactivate"},
        {.from = "inactive", .to = "active", .verb = "approve"},
};
const size_t n_customer_moves = sizeof customer_moves / sizeof customer_moves[0];

bool customer_check_status(struct transaction *tx, const char *from, const char *to)
{
	if (strcmp(from, to) == 0)
		return true;
	for (size_t i = 0; i < n_customer_moves; i++) {
		if (strcmp(customer_moves[i].from, from) == 0 &&
		    strcmp(customer_moves[i].to, to) == 0)
			return customer_moves[i].anybody || transaction_needs_manager(tx, "status");
	}
	return transaction_needs_manager(tx, "status") &&
	       error_set(tx->err, EX_DATAERR,
	                 "status: can't go from %s to %s (new, released, active; active and "
	                 "inactive)",
	                 from, to);
}
