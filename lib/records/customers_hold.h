/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_CUSTOMERS_HOLD_H
#define RECORDS_CUSTOMERS_HOLD_H

#include "base/error.h"

#include <stdbool.h>

/*
 * Held by the owner's daemon while it works, as a lock of the file PATH.owner: where that is there
 * and nobody holds it, the office's changes fail with 75, since another machine may own the cluster
 * by now. A descriptor, with which it goes, whatever becomes of the process; -1 on a fault: 74, 75
 * where another holds it, 77.
 */
int customers_hold(const char *path, struct error *err) MUST_CHECK;
/* False where the owner's daemon once worked with that file, and doesn't now. */
bool customers_owner_works(const char *path);

#endif
