/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_ERASE_H
#define RECORDS_RECORD_ERASE_H

#include "base/error.h"
#include "records/customers.h"

#include <stdbool.h>

/* What a transaction that erases a customer needs around it, and a copy that follows one: that what
 * is deleted is wiped. Outside of a transaction. */
bool erase_wiping(struct customers *customers, bool wipes, struct error *err) MUST_CHECK;
/* Within it, at its end: the search index forgets what was deleted from it. */
bool erase_search(struct customers *customers, struct error *err) MUST_CHECK;
/* After it: the free pages and the WAL. What can't be done now isn't a fault. */
void erase_clean_up(struct customers *customers);

#endif
