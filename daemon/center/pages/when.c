/* SPDX-License-Identifier: MIT */
/* Times in the words of an office. Pages are in English, so that the names are here. */
#include "center/pages/when.h"

#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 60 * MINUTE_MS };

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

struct wall {
	struct day day, today;
	int minute; /* -1: a day without a time */
};

static const struct zone *office_zone(const struct call *call)
{
	struct zones *zones = stores_zones(call->stores);
	const char *name = stores_default_zone(call->stores);
	const struct zone *zone = name ? zone_find(zones, name) : NULL;
	return zone ? zone : zone_host(zones);
}

/* "…-07:00" → -25200; the office's own for UTC. */
static int offset_of(const struct call *call, const char *text, struct instant at)
{
	size_t len = strlen(text);
	const char *end = text + len - 6;
	if (len < 7 || (*end != '+' && *end != '-') || end[3] != ':')
		return zone_offset_s(office_zone(call), at);
	int offset = atoi(end + 1) * 3600 + atoi(end + 4) * 60;
	return *end == '-' ? -offset : offset;
}

static struct day day_at(struct instant at, int offset_s)
{
	int64_t ms = at.ms + (int64_t)offset_s * 1000;
	return (struct day){(int32_t)((ms - (ms % DAY_MS + DAY_MS) % DAY_MS) / DAY_MS)};
}

static bool read_wall(const struct call *call, const char *text, struct wall *ret)
{
	struct instant at;
	if (day_parse(text, &ret->day)) {
		ret->minute = -1;
		ret->today = zone_day(office_zone(call), call->now);
		return true;
	}
	if (!instant_parse(text, &at))
		return false;
	int offset_s = offset_of(call, text, at);
	int64_t ms = at.ms + (int64_t)offset_s * 1000;
	ret->day = day_at(at, offset_s);
	ret->today = day_at(call->now, offset_s);
	ret->minute = (int)((ms - (int64_t)ret->day.n * DAY_MS) / MINUTE_MS);
	return true;
}

static const char *clock_words(const struct call *call, const struct wall *wall)
{
	return arena_printf(call->request->arena, "%d:%02d", wall->minute / 60, wall->minute % 60);
}

/* Beside a time the year is said only where it is another. */
static const char *date_words(const struct call *call, const struct wall *wall)
{
	int year, month, day, this_year, ignored;
	day_split(wall->day, &year, &month, &day);
	day_split(wall->today, &this_year, &ignored, &ignored);
	if (year == this_year)
		return arena_printf(call->request->arena, "%.3s %d", months[month - 1], day);
	return arena_printf(call->request->arena, "%.3s %d, %d", months[month - 1], day, year);
}

static const char *near_words(const struct wall *wall)
{
	switch (wall->day.n - wall->today.n) {
	case -1:
		return "yesterday";
	case 0:
		return "today";
	case 1:
		return "tomorrow";
	default:
		return NULL;
	}
}

const char *when_words(const struct call *call, const char *text)
{
	struct wall wall;
	if (!read_wall(call, text, &wall))
		return text;
	const char *near = near_words(&wall);
	const char *date = near ? near : date_words(call, &wall);
	if (wall.minute < 0)
		return date;
	return arena_printf(call->request->arena, near ? "%s %s" : "%s, %s", date,
	                    clock_words(call, &wall));
}

const char *when_there(const struct call *call, const char *text, const char *clock)
{
	struct instant at, there;
	char local[INSTANT_TEXT_MAX];
	if (!instant_parse(text, &at) || !instant_parse(clock, &there))
		return when_words(call, text);
	return when_words(call, instant_format(at, offset_of(call, clock, there), local));
}

const char *when_day(const struct call *call, const char *text)
{
	struct wall wall;
	int year, month, day;
	if (!read_wall(call, text, &wall))
		return text;
	day_split(wall.day, &year, &month, &day);
	return arena_printf(call->request->arena, "%s %d, %d", months[month - 1], day, year);
}

const char *when_clock(const struct call *call, const char *text)
{
	struct wall wall;
	return read_wall(call, text, &wall) && wall.minute >= 0 ? clock_words(call, &wall) : text;
}

bool when_days_until(const struct call *call, const char *day, int *ret)
{
	struct wall wall;
	if (day == NULL || !read_wall(call, day, &wall))
		return false;
	*ret = wall.day.n - wall.today.n;
	return true;
}

const char *when_distance(const struct call *call, int days)
{
	if (days == 0)
		return "today";
	int n = days < 0 ? -days : days;
	const char *unit = n == 1 ? "day" : "days";
	return days > 0 ? arena_printf(call->request->arena, "in %d %s", n, unit)
	                : arena_printf(call->request->arena, "%d %s ago", n, unit);
}
