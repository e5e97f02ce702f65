/* SPDX-License-Identifier: MIT */
/* Days and times as people type them. */
#include "dispatchctl/base/ctl.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { MOST_DAYS = 36500 };

/* A sign, digits and a unit's letter: "+30d". False if it is something else. */
static bool parse_shift(const char *text, const char *units, int64_t *ret_count, char *ret_unit)
{
	if (*text != '+' && *text != '-')
		return false;
	size_t digits = strspn(text + 1, "0123456789");
	const char *unit = text + 1 + digits;
	if (digits == 0 || digits > 9 || *unit == '\0' || strchr(units, *unit) == NULL ||
	    unit[1] != '\0')
		return false;
	*ret_count = strtoll(text, NULL, 10);
	*ret_unit = *unit;
	return true;
}

static bool named_day(const char *text, struct day today, struct day *ret)
{
	static const struct {
		const char *name;
		int shift;
	} names[] = {{"yesterday", -1}, {"today", 0}, {"tomorrow", 1}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text, names[i].name) == 0) {
			*ret = (struct day){today.n + names[i].shift};
			return true;
		}
	}
	int64_t count;
	char unit;
	if (!parse_shift(text, "dw", &count, &unit))
		return false;
	count *= unit == 'w' ? 7 : 1;
	if (count > MOST_DAYS || count < -MOST_DAYS)
		return false;
	*ret = (struct day){today.n + (int32_t)count};
	return true;
}

bool day_read(const char *text, struct instant now, const struct zone *zone, struct day *ret,
              struct error *err)
{
	if (named_day(text, zone_day(zone, now), ret) || day_parse(text, ret))
		return true;
	return error_set(err, EX_USAGE,
	                 "\"%s\" is not a day; write 2026-12-24, today, tomorrow or +30d", text);
}

bool time_read(const char *text, struct instant now, const struct zone *zone, struct instant *ret,
               struct error *err)
{
	int64_t count;
	char unit;
	struct day day;
	if (instant_parse(text, ret))
		return true;
	if (strcmp(text, "now") == 0) {
		*ret = now;
		return true;
	}
	if (parse_shift(text, "smh", &count, &unit)) {
		*ret = instant_add(now, count * (unit == 's'   ? 1000
		                                 : unit == 'm' ? 60000
		                                               : 3600000));
		return true;
	}
	if (named_day(text, zone_day(zone, now), &day) || day_parse(text, &day)) {
		*ret = zone_day_start(zone, day);
		return true;
	}
	return error_set(err, EX_USAGE,
	                 "\"%s\" is not a time; write 2026-12-24T08:30:00-07:00, a day, or how "
	                 "long ago: -2h, -7d",
	                 text);
}
