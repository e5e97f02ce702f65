/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_CHANGE_WORDS_H
#define CENTER_PAGES_CHANGE_WORDS_H

#include "center/entry/call.h"

#include <jansson.h>

/* To a change as customer_history() has it: `did` ("changed contact") and `fields` [{label, was,
 * is}], those that say something. */
void change_words_add(const struct call *call, json_t *change);

#endif
