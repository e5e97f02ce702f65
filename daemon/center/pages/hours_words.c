/* SPDX-License-Identifier: MIT */
/* Service hours as a person reads them: days alike in one line, the next dates, open or not. */
#include "center/pages/hours_words.h"

#include "base/jsontext.h"
#include "center/pages/head.h"
#include "center/pages/when.h"
#include "center/pages/words.h"
#include "model/hours.h"

#include <string.h>

enum { DATES_SHOWN = 4 };

static const char *day_name(const struct call *call, int weekday)
{
	return words_find(call, "weekday.short", hours_weekday_name(weekday));
}

/* "07:00-12:00,13:00-17:00" → "7:00–12:00, 13:00–17:00". */
static const char *windows_words(const struct call *call, const char *windows)
{
	struct buf out = {0};
	bool begins = true;
	if (strcmp(windows, "closed") == 0)
		return words_fixed(call, windows);
	for (const char *c = windows; *c != '\0'; c++) {
		if (*c == ',')
			buf_adds(&out, ", ");
		else if (*c == '-')
			buf_adds(&out, "\u2060–\u2060"); /* not broken there */
		else if (*c != '0' || !begins || c[1] == ':')
			buf_addc(&out, *c);
		begins = *c == ',' || *c == '-';
	}
	const char *text = arena_strdup(call->request->arena, buf_text(&out));
	buf_free(&out);
	return text;
}

static const char *windows_of(const json_t *week, int weekday)
{
	const char *windows = jsontext_at(week, hours_weekday_name(weekday));
	return *windows != '\0' ? windows : "closed";
}

static json_t *week_lines(const struct call *call, const json_t *week)
{
	json_t *lines = json_array();
	for (int first = 0, next; json_is_object(week) && first < 7; first = next) {
		const char *windows = windows_of(week, first);
		for (next = first + 1; next < 7 && strcmp(windows_of(week, next), windows) == 0;)
			next++;
		const char *last = day_name(call, next - 1);
		bool one = next == first + 1;
		json_array_append_new(lines,
		                      json_pack("{s:o, s:s}", "days",
		                                json_sprintf("%s%s%s", day_name(call, first),
		                                             one ? "" : "–", one ? "" : last),
		                                "windows", windows_words(call, windows)));
	}
	return lines;
}

static bool next_day(const char *day, const char *next)
{
	struct day a, b;
	return day_parse(day, &a) && day_parse(next, &b) && b.n == a.n + 1;
}

/* Days in a row with the same hours are one line: "Dec 24 – Dec 26". */
static json_t *date_lines(const struct call *call, const json_t *dates)
{
	json_t *lines = json_array(), *value, *line = NULL;
	const char *day, *last = "", *windows = "";
	int ahead;
	json_object_foreach((json_t *)(uintptr_t)dates, day, value)
	{
		if (!when_days_until(call, day, &ahead) || ahead < 0)
			continue;
		if (line && next_day(last, day) && strcmp(windows, json_string_value(value)) == 0) {
			json_object_set_new(line, "to", json_string(when_words(call, day)));
		} else if (json_array_size(lines) < DATES_SHOWN) {
			windows = json_string_value(value);
			line = json_pack("{s:s, s:s}", "from", when_words(call, day), "windows",
			                 windows_words(call, windows));
			json_array_append_new(lines, line);
		} else {
			break;
		}
		last = day;
	}
	return lines;
}

static void add_open(const struct call *call, json_t *view)
{
	const json_t *open = json_object_get(view, "open");
	const char *next = jsontext_at(open, "next"), *clock = jsontext_at(view, "local_now");
	bool now = json_is_true(json_object_get(open, "now"));
	if (open)
		json_object_set_new(
		        view, "opens",
		        json_pack("{s:b, s:s}", "now", now, "words",
		                  now             ? words(call, "hours.open")
		                  : *next != '\0' ? words_fill(call, "hours.opens",
		                                               json_pack("{s:s}", "when",
		                                                         when_words(call, next)))
		                                  : words(call, "hours.never")));
	if (*clock != '\0')
		json_object_set_new(view, "there", json_string(when_clock(call, clock)));
}

void hours_words_add(const struct call *call, json_t *view)
{
	const json_t *hours = json_object_get(view, "hours");
	const json_t *week = json_object_get(hours, "weekly");
	const json_t *above = json_object_get(json_object_get(hours, "inherited"), "weekly");
	if (!json_is_object(week) && json_is_object(above)) {
		week = json_object_get(above, "windows");
		json_object_set(view, "week_from", json_object_get(above, "from"));
	}
	json_object_set_new(view, "week", week_lines(call, week));
	json_object_set_new(view, "dates", date_lines(call, json_object_get(hours, "dates")));
	add_open(call, view);
}
