/* SPDX-License-Identifier: MIT */
/*
 * Service hours on the time line. A window is laid out from the day on which it opens, with the
 * contract's rules for clock changes, and only then compared with an instant; wall times are never
 * compared with each other. A window whose both ends fall into one gap is empty and never opens.
 *
 * A day for which hours say nothing is open from its first instant to the first of the next.
 */
#include "model/hours.h"

#include <stdlib.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static int by_day(const void *key, const void *date)
{
	const struct day *day = key;
	const struct hours_date *other = date;
	return (day->n > other->day.n) - (day->n < other->day.n);
}

/* The windows that open on that day; NULL where hours say nothing about it. */
static const struct hours_day *windows_of(const struct hours *hours, struct day day)
{
	const struct hours_date *date =
	        hours->n_dates == 0
	                ? NULL
	                : bsearch(&day, hours->dates, hours->n_dates, sizeof *hours->dates, by_day);
	if (date != NULL)
		return &date->hours;
	return hours->weekly ? &hours->week[day_weekday(day)] : NULL;
}

static struct hours_span lay_out(const struct zone *zone, struct day day,
                                 struct hours_window window)
{
	return (struct hours_span){
	        .open = zone_instant(zone, day, window.open, ZONE_FIRST),
	        .close = zone_instant(zone, day, window.close, ZONE_SECOND),
	};
}

static struct hours_span whole_day(const struct zone *zone, struct day day)
{
	return (struct hours_span){
	        .open = zone_day_start(zone, day),
	        .close = zone_day_start(zone, (struct day){day.n + 1}),
	};
}

static bool contains(struct hours_span span, struct instant at)
{
	return !instant_before(at, span.open) && instant_before(at, span.close);
}

/* The window of that day that contains `at`. */
static bool day_contains(const struct hours_day *day, struct day on, const struct zone *zone,
                         struct instant at, struct hours_span *ret)
{
	for (size_t i = 0; i < day->n; i++) {
		struct hours_span span = lay_out(zone, on, day->windows[i]);
		if (contains(span, at)) {
			*ret = span;
			return true;
		}
	}
	return false;
}

/*
 * The days whose windows may contain an instant, seen from its own day: that one first, since its
 * own window is the better answer where yesterday's still holds. The one before yesterday counts
 * where a day was skipped, tomorrow where the clock goes back over midnight.
 */
static const int near_days[] = {0, -1, -2, 1};
enum { NEAR_DAYS = sizeof near_days / sizeof near_days[0] };

/* A real window that contains `at`, or, where `silent` allows it, a whole day about which hours say
 * nothing. */
static bool find_open(const struct hours *hours, const struct zone *zone, struct instant at,
                      bool silent, struct hours_span *ret)
{
	struct day today = zone_day(zone, at);
	for (int i = 0; i < NEAR_DAYS; i++) {
		struct day day = {today.n + near_days[i]};
		const struct hours_day *windows = windows_of(hours, day);
		struct hours_span span;
		if (windows != NULL ? day_contains(windows, day, zone, at, &span)
		                    : silent && contains(span = whole_day(zone, day), at)) {
			*ret = span;
			return true;
		}
	}
	return false;
}

bool hours_open_at(const struct hours *hours, const struct zone *zone, struct instant at,
                   struct hours_span *ret)
{
	return find_open(hours, zone, at, true, ret);
}

/* The earliest instant not before `at` at which a window of that day is open; INSTANT_NEVER for
 * none. */
static struct instant day_opens(const struct hours *hours, const struct zone *zone, struct day day,
                                struct instant at)
{
	struct instant best = INSTANT_NEVER;
	const struct hours_day *windows = windows_of(hours, day);
	size_t n = windows == NULL ? 1 : windows->n;
	for (size_t i = 0; i < n; i++) {
		struct hours_span span = windows == NULL ? whole_day(zone, day)
		                                         : lay_out(zone, day, windows->windows[i]);
		if (!instant_before(span.open, span.close) || !instant_before(at, span.close))
			continue;
		best = instant_min(best, instant_before(span.open, at) ? at : span.open);
	}
	return best;
}

/*
 * Day by day, from the one before yesterday. A closed day costs one look into the table, and any
 * week that opens at all ends the walk within nine days. The walk goes two days on from a hit, as
 * where the clock goes back over midnight a later day may open earlier.
 */
bool hours_next_open(const struct hours *hours, const struct zone *zone, struct instant at,
                     struct instant *ret)
{
	struct instant limit = instant_add(at, (int64_t)HOURS_SEARCH_DAYS * DAY_MS);
	struct day today = zone_day(zone, at);
	struct instant best = INSTANT_NEVER;
	int last = HOURS_SEARCH_DAYS + 1;
	for (int i = -2; i <= last && instant_before(at, best); i++) {
		struct instant opens = day_opens(hours, zone, (struct day){today.n + i}, at);
		if (instant_before(opens, best)) {
			best = opens;
			last = i + 2;
		}
	}
	if (instant_before(limit, best))
		return false;
	*ret = best;
	return true;
}

bool hours_arrival_window(const struct hours *hours, const struct zone *zone, struct instant at,
                          struct hours_span *ret)
{
	if (find_open(hours, zone, at, false, ret))
		return true;
	struct day today = zone_day(zone, at);
	const struct hours_day *windows = windows_of(hours, today);
	bool found = false;
	for (size_t i = 0; windows != NULL && i < windows->n; i++) {
		struct hours_span span = lay_out(zone, today, windows->windows[i]);
		if (!instant_before(span.open, span.close))
			continue;
		*ret = span;
		found = true;
		if (instant_before(at, span.open)) /* the next one; else the last stays */
			break;
	}
	return found;
}
