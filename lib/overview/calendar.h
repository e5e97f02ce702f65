/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_CALENDAR_H
#define OVERVIEW_CALENDAR_H

#include "model/hours.h"
#include "overview/overview.h"

#include <jansson.h>

/* The time zone of a customer's days; the host's if there is no such customer. */
bool calendar_zone(const struct overview *view, const char *number, const struct zone **ret,
                   struct error *err) MUST_CHECK;

/* `from` of a date for all customers. */
#define CALENDAR_OFFICE "all"

/*
 * Adds to a customer's hours what they mean now, inherited hours included: `open` (true or false),
 * `next_open` (if it is closed), `never_open` (true if it doesn't open within 400 days), and
 * `inherited`, the hours that aren't its own: {"weekly": {"windows": {"mon": …}, "from": NUMBER} or
 * null, "dates": {DAY: {"windows", "from": NUMBER or "all"}}}.
 */
bool calendar_add(const struct overview *view, const char *number, json_t *hours,
                  struct error *err) MUST_CHECK;

/* When a customer would be open with another week of its own (one that isn't set: its parents'),
 * its own dates and those that it inherits as they are. */
struct calendar_trial {
	const struct zone *zone;
	bool opens;           /* within 400 days */
	bool open;            /* now */
	struct instant until; /* when it closes, where it is open; else when it opens */
};
bool calendar_try(const struct overview *view, const char *number, const struct hours *week,
                  struct calendar_trial *ret, struct error *err) MUST_CHECK;

#endif
