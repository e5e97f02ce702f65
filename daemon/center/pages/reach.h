/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_REACH_H
#define CENTER_PAGES_REACH_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * What a suspension would hold or reach if it were saved as it stands in the form, {url, words, n,
 * parts}: `url` answers the same for other values, `n` and `parts` are blanks for suspension.js to
 * fill. `typed` is the form's values, NULL for a new one. null where that can't be told: the spool
 * is away, or the values are not a suspension. The caller's.
 */
json_t *reach_of(struct call *call, const char *number, const json_t *typed);

#endif
