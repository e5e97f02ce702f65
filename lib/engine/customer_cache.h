/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CUSTOMER_CACHE_H
#define ENGINE_CUSTOMER_CACHE_H

#include "model/customer.h"

#include <stdint.h>

struct engine;

/* Marks that wait to be made in customers.db, as of the beginning of a turn. */
void engine_load_refusals(struct engine *engine);
/* The customer as of this turn, in its arena; NULL where there is none. */
const struct customer *engine_customer(struct engine *engine, const char *number);
/* Marks an address as refused, by an office write; engine_customer() shows the mark at once. */
void engine_refuse_address(struct engine *engine, int64_t contact, const char *address,
                           const char *reply);

#endif
