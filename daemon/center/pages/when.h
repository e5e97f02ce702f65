/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_WHEN_H
#define CENTER_PAGES_WHEN_H

#include "center/entry/call.h"

/*
 * Times and days as people in an office say them, near ones by their distance: "today 9:48",
 * "tomorrow 13:00", "Nov 20, 9:48", "Nov 20, 2025", in the language of the pages. A time in UTC is
 * shown in the time zone of the office, any other by the clock that it came with. What is not a
 * time stays as it is. In the request's arena.
 */
const char *when_words(const struct call *call, const char *text);
/* The same by another clock: that of `clock`, a time with its offset ("" for when_words()). */
const char *when_there(const struct call *call, const char *text, const char *clock);
/* The same, and whose clock that is where it isn't the office's: "today 15:38 (Berlin)"; `zone` is
 * its IANA name. */
const char *when_listed(const struct call *call, const char *text, const char *zone);
/* A sentence, the times in it (RFC 3339) in such words. */
const char *when_in(const struct call *call, const char *text);
/* The day alone: "March 1, 2027"; of a time, too. */
const char *when_day(const struct call *call, const char *text);
/* The time alone: "9:48". */
const char *when_clock(const struct call *call, const char *text);
/* Days from today, in the office's zone, to a day; false where the text is none. */
bool when_days_until(const struct call *call, const char *day, int *ret);
/* How far that is: "today", "in 65 days", "12 days ago". */
const char *when_distance(const struct call *call, int days);

#endif
