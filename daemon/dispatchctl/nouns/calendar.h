/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_CALENDAR_H
#define DISPATCHCTL_NOUNS_CALENDAR_H

#include "dispatchctl/base/ctl.h"
#include "records/customers.h"

/* The time zone in which a customer's days are meant; the host's where there is no such customer.
 */
bool calendar_zone(struct ctl *ctl, struct customers *store, const char *number,
                   const struct zone **ret, struct error *err) MUST_CHECK;

/* `from` of a date that the office has set for everybody. */
#define CALENDAR_OFFICE "all"

/*
 * Adds to a customer's hours what they mean now, with all that it inherits: `open` (true or false),
 * `next_open` (where it is closed), `never_open` (true where it won't open within 400 days), and
 * `inherited`, what counts that isn't its own: {"weekly": {"windows": {"mon": …}, "from": NUMBER}
 * or null, "dates": {DAY:
 * {"windows", "from": NUMBER or "all"}}}.
 */
bool calendar_add(struct ctl *ctl, struct customers *store, const char *number, json_t *hours,
                  struct error *err) MUST_CHECK;

#endif
