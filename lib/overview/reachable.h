/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_REACHABLE_H
#define OVERVIEW_REACHABLE_H

#include "overview/overview.h"
#include "spool/spool.h"

#include <jansson.h>

/*
 * Where a mail to each of a customer's contacts would go now, and why: its own contacts, then those
 * that it inherits, in the order in which the rules ask them. Of each:
 *
 * - `contact` (its id), `name` (may be ""), `customer` (whose record it is), `inherited`, `notify`
 *   (the states that it hears of);
 * - `address`, by the rules' own code, and `which` of its fields that is (`email`, `alt_email`):
 *   null where none can be used; `reason` (`ok`, `no_address`, `address_invalid`);
 * - `marks`: of each address that is marked `which`, `address`, `since`, `by_hand`, `words` (the
 *   server's; null where it was marked by hand), `by` (who; null where the history doesn't say),
 *   `mail` (the latest one that was refused there; null where the spool has none).
 *
 * `spool` may be NULL.
 */
bool reachable(const struct overview *view, struct spool *spool, const char *number, json_t **ret,
               struct error *err) MUST_CHECK;

#endif
