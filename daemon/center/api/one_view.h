/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_ONE_VIEW_H
#define CENTER_API_ONE_VIEW_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * All of a customer at a glance: customer_show()'s keys with what calendar_add() adds to `hours`;
 * `version`; `suspensions` with what holds now, `suspension` (the one that holds, own or inherited,
 * or null); `open` ({"now", "next"}) and `local_now`, by its own clock; `gate`, what the gate would
 * answer now to "job.create" and "job.dispatch"; `jobs` as customer_jobs(), each of `scheduled` and
 * `last` with its `notice`, null where the spool can't be read. The caller's.
 */
bool one_view(struct call *call, const char *number, json_t **ret, struct error *err) MUST_CHECK;

#endif
