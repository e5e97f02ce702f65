/* SPDX-License-Identifier: MIT */
#ifndef MODEL_HOURS_H
#define MODEL_HOURS_H

#include "base/error.h"
#include "base/instant.h"
#include "base/mem.h"
#include "base/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Service hours: when a customer may be mailed and expects the truck (contract, section 4).
 *
 * A window is half-open wall-clock time, in minutes from midnight of the day on which it opens:
 * 0 ≤ open < 1440, open < close ≤ open + 1440; a close beyond 1440 lies on the next day
 * (22:00-06:00 is 1320–1800).
 */
struct hours_window {
	int16_t open, close;
};

struct hours_day {
	const struct hours_window *windows; /* by opening, not overlapping; none means closed */
	size_t n;
};

struct hours_date {
	struct day day;
	struct hours_day hours; /* replaces the weekday's */
};

struct hours {
	bool weekly;              /* some weekday is set; those without windows are then closed */
	struct hours_day week[7]; /* 0 Monday … 6 Sunday */
	const struct hours_date *dates; /* by day, each once */
	size_t n_dates;
};

/* `07:00-12:00,13:00-17:00`, `22:00-06:00`, `08:00-24:00` or `closed`; also `9:00 - 17:00` and
 * `Closed`. On a fault `err` says which part and what was expected. */
bool hours_day_parse(const char *text, struct arena *arena, struct hours_day *ret,
                     struct error *err) MUST_CHECK;
/* The same back; "closed" for none. In the arena. */
const char *hours_day_format(const struct hours_day *day, struct arena *arena);
/* `mon`, `mon-fri`, `sat,sun`, `fri-mon`, `all`, in any case: a bit a day, bit 0 is Monday; false
 * where it is none. */
bool hours_weekdays_parse(const char *text, unsigned *ret);
const char *hours_weekday_name(int weekday); /* "mon" */

/* A window on the time line, [open, close). */
struct hours_span {
	struct instant open, close;
};

/* Whether `at` lies in a window; fills *ret with it (where hours say nothing for that day: the
 * whole day) if so. */
bool hours_open_at(const struct hours *hours, const struct zone *zone, struct instant at,
                   struct hours_span *ret);

enum { HOURS_SEARCH_DAYS = 400 };
/*
 * The first instant not before `at` at which it is open (`at` itself where it is open then); false
 * where there is none within 400 days.
 */
bool hours_next_open(const struct hours *hours, const struct zone *zone, struct instant at,
                     struct instant *ret) MUST_CHECK;

/*
 * The window that a driver is to keep (contract, section 6): of the day of `at` in `zone`, the one
 * that contains it, else the next one that day, else that day's last. False where that day has none
 * or where hours say nothing.
 */
bool hours_arrival_window(const struct hours *hours, const struct zone *zone, struct instant at,
                          struct hours_span *ret) MUST_CHECK;

#endif
