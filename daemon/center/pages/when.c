/* SPDX-License-Identifier: MIT */
/* Times in the words of an office; the names and the order are those of the language. */
#include "center/pages/when.h"

#include "base/zone.h"
#include "center/pages/words.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, DAY_MS = 24 * 60 * MINUTE_MS };

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
	return words_fill(call, "when.clock",
	                  json_pack("{s:i, s:s}", "hour", wall->minute / 60, "minute",
	                            arena_printf(call->request->arena, "%02d", wall->minute % 60)));
}

/* `month` is the space of its name. */
static const char *day_words(const struct call *call, const char *key, const char *month,
                             struct day at)
{
	int year, number, day;
	day_split(at, &year, &number, &day);
	const char *name = words(call, arena_printf(call->request->arena, "%s.%d", month, number));
	return words_fill(call, key,
	                  json_pack("{s:i, s:s, s:i}", "year", year, "month", name, "day", day));
}

/* Beside a time the year is given only where it isn't this one. */
static const char *date_words(const struct call *call, const struct wall *wall)
{
	int year, this_year, ignored;
	day_split(wall->day, &year, &ignored, &ignored);
	day_split(wall->today, &this_year, &ignored, &ignored);
	return day_words(call, year == this_year ? "when.date" : "when.date.year", "month.short",
	                 wall->day);
}

static const char *near_words(const struct call *call, const struct wall *wall)
{
	switch (wall->day.n - wall->today.n) {
	case -1:
		return words(call, "when.yesterday");
	case 0:
		return words(call, "when.today");
	case 1:
		return words(call, "when.tomorrow");
	default:
		return NULL;
	}
}

const char *when_words(const struct call *call, const char *text)
{
	struct wall wall;
	if (!read_wall(call, text, &wall))
		return text;
	const char *near = near_words(call, &wall);
	const char *date = near ? near : date_words(call, &wall);
	if (wall.minute < 0)
		return date;
	return words_fill(call, near ? "when.near" : "when.far",
	                  json_pack("{s:s, s:s}", "date", date, "time", clock_words(call, &wall)));
}

const char *when_there(const struct call *call, const char *text, const char *clock)
{
	struct instant at, there;
	char local[INSTANT_TEXT_MAX];
	if (!instant_parse(text, &at) || !instant_parse(clock, &there))
		return when_words(call, text);
	return when_words(call, instant_format(at, offset_of(call, clock, there), local));
}

/* "America/Argentina/Buenos_Aires" → "Buenos Aires" */
static const char *place_of(const struct call *call, const char *zone)
{
	const char *slash = strrchr(zone, '/');
	char *place = arena_strdup(call->request->arena, slash ? slash + 1 : zone);
	return g_strdelimit(place, "_", ' ');
}

const char *when_listed(const struct call *call, const char *text, const char *zone)
{
	struct instant at;
	const char *shown = when_words(call, text);
	if (*zone == '\0' || !instant_parse(text, &at) ||
	    offset_of(call, text, at) == zone_offset_s(office_zone(call), at))
		return shown;
	return arena_printf(call->request->arena, "%s (%s)", shown, place_of(call, zone));
}

/* How long the time is with which a text begins, such as 2026-11-28T08:00:00-07:00; 0 for none. */
static size_t time_length(const struct call *call, const char *text)
{
	struct instant ignored;
	size_t len = strspn(text, "0123456789-:.+TZ");
	while (len > 0 && strchr(".:-+", text[len - 1]) != NULL)
		len--;
	return len > 0 && instant_parse(arena_strndup(call->request->arena, text, len), &ignored)
	               ? len
	               : 0;
}

const char *when_in(const struct call *call, const char *text)
{
	struct arena *arena = call->request->arena;
	struct buf said = {0};
	for (const char *at = text; *at != '\0';) {
		bool begins = at == text || !g_ascii_isalnum(at[-1]);
		size_t len = begins && g_ascii_isdigit(*at) ? time_length(call, at) : 0;
		if (len > 0)
			buf_adds(&said, when_words(call, arena_strndup(arena, at, len)));
		else
			buf_add(&said, at, 1);
		at += len > 0 ? len : 1;
	}
	const char *all = arena_strdup(arena, buf_text(&said));
	buf_free(&said);
	return all;
}

const char *when_day(const struct call *call, const char *text)
{
	struct wall wall;
	return read_wall(call, text, &wall) ? day_words(call, "when.day", "month", wall.day) : text;
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
		return words(call, "when.today");
	return words_count(call, days > 0 ? "when.in" : "when.ago", days < 0 ? -days : days);
}
