/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_HOURS_WORDS_H
#define CENTER_PAGES_HOURS_WORDS_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * Adds to a customer as one_view() gives it `week` [{days: "Mon–Fri", windows}], its own or
 * inherited (`week_from`: the number of whom), `dates`, the next few [{from, to, windows}], `opens`
 * {now, words}, and `there`, the time
 * there by the clock.
 */
void hours_words_add(const struct call *call, json_t *view);

#endif
