/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CUSTOMER_CACHE_H
#define ENGINE_CUSTOMER_CACHE_H

#include "model/customer.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/* A turn begins: it has seen none. */
void engine_customers_begin(struct engine *engine);
/* And whether customers.db has changed since the last one; else those kept are still true. */
void engine_customers_changed_since(struct engine *engine, bool changed);
/* Marks that wait to be made in customers.db, as of the beginning of a turn. */
void engine_load_refusals(struct engine *engine);
/* The customer as of this turn, for as long as that lasts; NULL where there is none. */
const struct customer *engine_customer(struct engine *engine, const char *number);
/* Marks an address as refused, by an office write; engine_customer() shows the mark at once. */
void engine_refuse_address(struct engine *engine, int64_t contact, const char *address,
                           const char *reply);
/* The same for a contact that complained: it gets no more mails. */
void engine_no_more_mails(struct engine *engine, int64_t contact, const char *address,
                          const char *words);

#endif
