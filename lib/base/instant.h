/* SPDX-License-Identifier: MIT */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

/* A point in time: milliseconds since 1970-01-01T00:00:00Z. lib/ never reads the clock: it is
 * passed in. */
struct instant {
	int64_t ms;
};
#define INSTANT_NONE  ((struct instant){INT64_MIN})
#define INSTANT_NEVER ((struct instant){INT64_MAX}) /* later than any */

/* A reading of a clock that nobody can set (CLOCK_MONOTONIC), for waits. Its own type, so that the
 * two never mix. */
struct tick {
	int64_t ms;
};

static inline bool instant_is_none(struct instant t)
{
	return t.ms == INT64_MIN;
}
static inline bool instant_before(struct instant a, struct instant b)
{
	return a.ms < b.ms;
}
static inline struct instant instant_add(struct instant t, int64_t ms)
{
	return (struct instant){t.ms + ms};
}
static inline struct instant instant_min(struct instant a, struct instant b)
{
	return a.ms < b.ms ? a : b;
}

/* A day of the calendar: days since 1970-01-01, proleptic Gregorian. */
struct day {
	int32_t n;
};
#define DAY_NONE ((struct day){INT32_MIN})

static inline bool day_is_none(struct day d)
{
	return d.n == INT32_MIN;
}

struct day day_of(int year, int month, int mday); /* month 1–12, day 1–31, not checked */
void day_split(struct day day, int *ret_year, int *ret_month, int *ret_mday);
int day_weekday(struct day day); /* 0 Monday … 6 Sunday (ISO 8601) */

/* Strictly YYYY-MM-DD, years 0001–9999, a day that exists; the whole of `text`. Untouched on
 * failure. */
bool day_parse(const char *text, struct day *ret);

#define DAY_TEXT_MAX 16
const char *day_format(struct day day,
                       char text[DAY_TEXT_MAX]); /* "" for DAY_NONE; returns `text` */

/*
 * RFC 3339, section 5.6, the whole of `text`: the offset is needed, lower-case t and z and a blank
 * for the T are taken, a leap second counts as the first instant of the next minute, digits beyond
 * milliseconds are cut off. Of ISO 8601, because others write it: seconds may be left out (Java's
 * OffsetDateTime does where they are 0), so may the offset's colon (+0000) and its minutes
 * (PostgreSQL's +00), and the fraction may follow a comma. Years 0001–9999. Untouched on failure.
 */
bool instant_parse(const char *text, struct instant *ret);

/* RFC 3339 at an offset in seconds east (rounded down to minutes); milliseconds only where there
 * are any; "Z" for 0. */
#define INSTANT_TEXT_MAX 40
const char *instant_format(struct instant t, int offset_s,
                           char text[INSTANT_TEXT_MAX]); /* "" for INSTANT_NONE */

#endif
