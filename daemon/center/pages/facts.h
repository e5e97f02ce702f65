/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_FACTS_H
#define CENTER_PAGES_FACTS_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * Adds to a customer as one_view() gives it what its page says in words:
 *
 * - `dial`, and of each contact `called`, `states` [{letter, state, on}], `mailed`, `phones`
 *   [{label, number, dial}];
 * - its hours (hours_words.h);
 * - `renewal_in` {words, near}; `refused`, why nothing is dispatched (absent where it may be),
 *   and `waiting`, the held jobs that resuming sets free;
 * - `coming`: scheduled and held jobs, each held one with `held` {id, why};
 * - of each last job `became` [{words, bad}]: what became of its mails;
 * - `first_notes`: the urgent ones and the newest.
 */
void facts_add(struct call *call, json_t *view);
/* What it adds to contacts alone. */
void facts_add_contacts(const struct call *call, json_t *contacts);

#endif
