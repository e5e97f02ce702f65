/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_OPERATIONS_H
#define RECORDS_RECORD_OPERATIONS_H

#include "model/kind.h"
#include "records/record_row.h"
#include "records/transaction.h"

/* What a kind does besides what its row in the table says. */
struct kind_operations {
	const char *kind;
	/* May refuse the change, and may complete `after`. `before->id` is 0 for one that is
	 * added. */
	bool (*check)(struct transaction *tx, const struct row *before, struct row *after,
	              const json_t *values);
	/* After the row itself is written. Sets *changed where it changed something. */
	bool (*written)(struct transaction *tx, const struct row *row, const json_t *values,
	                bool adding, bool *changed);
	/* Before it is removed. */
	bool (*removing)(struct transaction *tx, const struct row *row);
	/* Adds members to its JSON. */
	bool (*show)(struct customers *store, const struct row *row, json_t *object,
	             struct error *err);
};
const struct kind_operations *operations_find(const struct kind *kind); /* never NULL */

#endif
