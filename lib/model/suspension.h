/* SPDX-License-Identifier: MIT */
#ifndef MODEL_SUSPENSION_H
#define MODEL_SUSPENSION_H

#include "base/instant.h"
#include "base/zone.h"
#include "model/customer.h"

/*
 * Suspensions on the time line (contract, section 4): one holds from the first instant of `from` to
 * the first instant of `until` in the zone of the customer that is asked about; a site's days count
 * even where the suspension is its parent's.
 */
struct instant suspension_start(const struct suspension *suspension, const struct zone *zone);
struct instant suspension_end(const struct suspension *suspension,
                              const struct zone *zone); /* INSTANT_NEVER: indefinite */
bool suspension_holds(const struct suspension *suspension, const struct zone *zone,
                      struct instant at);

/*
 * One that holds at that instant and has any of `scopes`: the customer's own before its parent's,
 * among those of one record the lowest id. NULL where there is none.
 */
const struct suspension *suspension_find(const struct customer *customer, unsigned scopes,
                                         const struct zone *zone, struct instant at);

/*
 * The first instant not before `at` from which nothing up the chain with any of `scopes` holds any
 * more: where one suspension runs on into another, the end of the last. `at` itself where none
 * holds then; INSTANT_NEVER where it is indefinite.
 */
struct instant suspension_clear(const struct customer *customer, unsigned scopes,
                                const struct zone *zone, struct instant at);

/* The first instant after `at` at which any suspension of the chain begins or wears off;
 * INSTANT_NEVER for none. */
struct instant suspension_next_change(const struct customer *customer, const struct zone *zone,
                                      struct instant at);

#endif
