/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CUSTOMER_CACHE_H
#define ENGINE_CUSTOMER_CACHE_H

#include "model/customer.h"
#include "records/contact_choice.h"

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
/* Takes `off` from the states that a contact gets mails about and adds those of `on`, the same way.
 * `link` is what its opt-outs are signed over; "": whatever that is. */
void engine_choose_states(struct engine *engine, int64_t contact, const char *link, unsigned off,
                          unsigned on);
/* Changes what customers.db has of a contact's choice by what isn't there yet. */
void engine_pending_choice(struct engine *engine, struct contact_choice *choice);

#endif
