/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_CALENDAR_H
#define DISPATCHCTL_NOUNS_CALENDAR_H

#include "dispatchctl/base/ctl.h"
#include "records/customers.h"

/* The time zone of a customer's days; the host's if there is no such customer. */
bool calendar_zone(struct ctl *ctl, struct customers *store, const char *number,
                   const struct zone **ret, struct error *err) MUST_CHECK;

/* `from` of a date for all customers. */
#define CALENDAR_OFFICE "all"

/*
 * Adds to a customer's hours what they mean now, inherited hours included: `open` (true or false),
 * `next_open` (if it is closed), `never_open` (true if it doesn't open within 400 days), and
 * `inherited`, the hours that aren't its own: {"weekly": {"windows": {"mon": …}, "from": NUMBER} or
 * null, "dates": {DAY: {"windows", "from": NUMBER or "all"}}}.
 */
bool calendar_add(struct ctl *ctl, struct customers *store, const char *number, json_t *hours,
                  struct error *err) MUST_CHECK;

#endif
