/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_REACHABLE_H
#define CENTER_PAGES_REACHABLE_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * Whether each contact of a customer can be reached, as overview/reachable.h says it, in words:
 * `above` (whose it is, where it is inherited), `sentence` (which address a mail goes to now and
 * why), `mailed`, of each mark `since` and `who` besides, and `addresses`: what can be marked or
 * unmarked [{which, address, marked, version, next}]; `commands` do the same. *ret is the caller's.
 */
bool reachable_rows(struct call *call, const char *number, json_t **ret,
                    struct error *err) MUST_CHECK;

#endif
