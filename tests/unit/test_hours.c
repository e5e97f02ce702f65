/* SPDX-License-Identifier: MIT */
/*
 * Service hours: their spelling, and the hard cases on the time line by name. Chance over all zones
 * is in tests/system/test_hours.py.
 */
#include "model/hours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct arena *arena;
static struct zones *zones;

static void days_are_read_and_written(void **state)
{
	(void)state;
	static const struct {
		const char *text, *back;
	} cases[] = {
	        {"closed", "closed"},
	        {"07:00-12:00", "07:00-12:00"},
	        {"07:00-12:00,13:00-17:00", "07:00-12:00,13:00-17:00"},
	        {"13:00-17:00, 07:00-12:00", "07:00-12:00,13:00-17:00"},
	        {"07:00-12:00,12:00-17:00", "07:00-12:00,12:00-17:00"},
	        {"22:00-06:00", "22:00-06:00"},
	        {"22:00-06:00,01:00-02:00", "01:00-02:00,22:00-06:00"},
	        {"08:00-24:00", "08:00-24:00"},
	        {"00:00-24:00", "00:00-24:00"},
	        {"22:00-00:00", "22:00-24:00"},
	        {"23:59-23:58", "23:59-23:58"},
	        {"9:00-17:00", "09:00-17:00"},
	        {"0:00-7:30, 9:00-9:05", "00:00-07:30,09:00-09:05"},
	        {"09:00 - 17:00", "09:00-17:00"},
	        {"9:00 -12:00 , 13:00- 17:00", "09:00-12:00,13:00-17:00"},
	        {"9:00\u201317:00", "09:00-17:00"},
	        {"9:00 \u2013 17:00", "09:00-17:00"},
	        {"Closed", "closed"},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct hours_day day;
		struct error err = {0};
		if (!hours_day_parse(cases[i].text, arena, &day, &err))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(hours_day_format(&day, arena), cases[i].back);
	}
}

static void bad_days_report_what_is_expected(void **state)
{
	(void)state;
	static const struct {
		const char *text, *fault;
	} cases[] = {
	        {"", "is not a window"},
	        {"open", "\"open\" is not a window; expected two times"},
	        {"07:00", "is not a window"},
	        {"07:00-", "is not a window"},
	        {"7:0-12:00", "is not a window"},
	        {"007:00-12:00", "is not a window"},
	        {"9-17", "is not a window"},
	        {"07:00 12:00", "\"07:00 12:00\" is not a window"},
	        {"07:00 - - 12:00", "is not a window"},
	        {"9:00am-5:00pm", "is not a window"},
	        {"07:00-12:60", "is not a window"},
	        {"07:00-24:01", "is not a window"},
	        {"25:00-26:00", "is not a window"},
	        {"07:00-12:00x", "\"07:00-12:00x\" is not a window"},
	        {"07:00-12:00,", "is not a window"},
	        {",07:00-12:00", "is not a window"},
	        {"07:00-12:00 13:00-14:00", "separate windows by commas"},
	        {"07:00-12:00,closed", "\"closed\" is not a window"},
	        {"24:00-06:00", "opens at 24:00"},
	        {"08:00-08:00", "\"08:00-08:00\" is empty"},
	        {"00:00-00:00", "is empty"},
	        {"07:00-12:00,11:59-13:00", "07:00-12:00 and 11:59-13:00 overlap"},
	        {"22:00-06:00,23:00-23:30", "22:00-06:00 and 23:00-23:30 overlap"},
	        {"08:00-09:00,08:00-10:00", "overlap"},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct hours_day day = {.n = 99};
		struct error err = {0};
		if (hours_day_parse(cases[i].text, arena, &day, &err))
			fail_msg("\"%s\" is taken", cases[i].text);
		assert_int_equal(day.n, 99);
		if (strstr(err.text, cases[i].fault) == NULL)
			fail_msg("\"%s\": %s", cases[i].text, err.text);
	}
}

static void weekdays_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned days;
	} cases[] = {
	        {"mon", 1},        {"Monday-FRIDAY", 31}, {"wednesday,sun", 68},
	        {"mon-fri", 31},   {"sat,sun", 96},       {"fri-mon", 113},
	        {"all", 127},      {"sun-sat", 127},      {"mon-wed,fri", 23},
	        {"sun", 64},       {"mon-mon", 1},        {"Mon-Fri", 31},
	        {"MON", 1},        {"All", 127},          {"Sat, Sun", 96},
	        {"Mon - Fri", 31}, {"Mon\u2013Fri", 31},
	};
	static const char *const bad[] = {"",        "mo",      "mon-", "-mon",   "mon,",
	                                  "mondays", "mon fri", "fri-", "all,mon"};
	unsigned days = 200;
	for (size_t i = 0; i < N(cases); i++) {
		if (!hours_weekdays_parse(cases[i].text, &days) || days != cases[i].days)
			fail_msg("%s: %u", cases[i].text, days);
	}
	days = 200;
	for (size_t i = 0; i < N(bad); i++)
		if (hours_weekdays_parse(bad[i], &days) || days != 200)
			fail_msg("\"%s\" is taken", bad[i]);
	assert_string_equal(hours_weekday_name(6), "sun");
}

/*
 * Hours as text for tests: "mon-fri=07:00-12:00;2026-12-25=closed", parts in any order of weekdays,
 * dates ascending; "" says nothing.
 */
static const struct hours *read_hours(const char *text)
{
	enum { DATES_MAX = 16 };
	struct hours *hours = arena_alloc(arena, sizeof *hours);
	struct hours_date *dates = arena_new_array(arena, DATES_MAX, struct hours_date);
	hours->dates = dates;
	char key[40], value[80];
	int used;
	while (sscanf(text, "%39[^=]=%79[^;]%n", key, value, &used) == 2) {
		struct hours_day day;
		struct error err = {0};
		unsigned days;
		if (!hours_day_parse(value, arena, &day, &err))
			fail_msg("%s: %s", value, err.text);
		if (hours_weekdays_parse(key, &days)) {
			hours->weekly = true;
			for (int i = 0; i < 7; i++)
				if (days & 1u << i)
					hours->week[i] = day;
		} else {
			assert_true(hours->n_dates < DATES_MAX);
			assert_true(day_parse(key, &dates[hours->n_dates].day));
			dates[hours->n_dates++].hours = day;
		}
		text += used;
		text += *text == ';';
	}
	assert_string_equal(text, "");
	return hours;
}

static const struct zone *zone(const char *name)
{
	const struct zone *found = zone_find(zones, name);
	assert_non_null(found);
	return found;
}

static struct instant instant(const char *text)
{
	struct instant t;
	if (!instant_parse(text, &t))
		fail_msg("\"%s\" is not a time", text);
	return t;
}

#define WEEK   "mon-fri=07:00-12:00,13:00-17:00"
#define NIGHTS "all=22:00-06:00"

static const struct {
	const char *hours, *zone, *at;
	const char *next; /* in UTC: the same as `at` where it is open; "" never */
} next_cases[] = {
        /* 2026-03-04 is a Wednesday. */
        {WEEK, "America/Denver", "2026-03-04T13:59:59.999Z", "2026-03-04T14:00:00Z"},
        {WEEK, "America/Denver", "2026-03-04T14:00:00Z", "2026-03-04T14:00:00Z"},
        {WEEK, "America/Denver", "2026-03-04T18:59:59.999Z", "2026-03-04T18:59:59.999Z"},
        {WEEK, "America/Denver", "2026-03-04T19:00:00Z", "2026-03-04T20:00:00Z"},
        {WEEK, "America/Denver", "2026-03-05T00:00:00Z", "2026-03-05T14:00:00Z"},
        {WEEK, "America/Denver", "2026-03-07T00:00:00Z",
         "2026-03-09T13:00:00Z"}, /* over a clock change */
        {"wed=08:00-09:00", "UTC", "2026-03-04T09:00:00Z", "2026-03-11T08:00:00Z"},
        {"", "UTC", "2026-03-04T09:00:00Z", "2026-03-04T09:00:00Z"},
        {"all=closed", "UTC", "2026-03-04T09:00:00Z", ""},
        {"sun=closed", "UTC", "2026-03-04T09:00:00Z", ""}, /* weekdays left out are closed */
        {"all=00:00-24:00", "America/Denver", "2026-03-08T09:00:00Z", "2026-03-08T09:00:00Z"},
        /* Over midnight; a window belongs to the day on which it opens. */
        {NIGHTS, "UTC", "2026-03-04T05:59:59Z", "2026-03-04T05:59:59Z"},
        {NIGHTS, "UTC", "2026-03-04T06:00:00Z", "2026-03-04T22:00:00Z"},
        {"tue=22:00-06:00", "UTC", "2026-03-04T03:00:00Z", "2026-03-04T03:00:00Z"},
        {"wed=22:00-06:00", "UTC", "2026-03-04T03:00:00Z", "2026-03-04T22:00:00Z"},
        {NIGHTS ";2026-03-04=closed", "UTC", "2026-03-04T03:00:00Z", "2026-03-04T03:00:00Z"},
        {NIGHTS ";2026-03-04=closed", "UTC", "2026-03-04T23:00:00Z", "2026-03-05T22:00:00Z"},
        {NIGHTS ";2026-03-04=closed", "UTC", "2026-03-05T03:00:00Z", "2026-03-05T22:00:00Z"},
        /* Dates replace the weekday's windows. */
        {WEEK ";2026-03-04=closed", "UTC", "2026-03-04T09:00:00Z", "2026-03-05T07:00:00Z"},
        {WEEK ";2026-03-07=10:00-11:00", "UTC", "2026-03-06T18:00:00Z", "2026-03-07T10:00:00Z"},
        {WEEK ";2026-03-04=20:00-21:00", "UTC", "2026-03-04T09:00:00Z", "2026-03-04T20:00:00Z"},
        /* Dates alone: every other day is open as a whole. */
        {"2026-03-04=closed", "UTC", "2026-03-03T23:59:59Z", "2026-03-03T23:59:59Z"},
        {"2026-03-04=closed", "America/Denver", "2026-03-04T08:00:00Z", "2026-03-05T07:00:00Z"},
        {"2026-03-04=09:00-10:00", "UTC", "2026-03-04T08:00:00Z", "2026-03-04T09:00:00Z"},
        {"2026-03-04=09:00-10:00", "UTC", "2026-03-04T10:00:00Z", "2026-03-05T00:00:00Z"},
        {"2026-03-08=closed", "America/Havana", "2026-03-08T04:59:59Z", "2026-03-08T04:59:59Z"},
        {"2026-03-07=closed", "America/Havana", "2026-03-08T04:00:00Z", "2026-03-08T05:00:00Z"},
        {"2011-12-29=closed", "Pacific/Apia", "2011-12-30T00:00:00Z", "2011-12-30T10:00:00Z"},
        {"2011-12-29=closed;2011-12-31=closed", "Pacific/Apia", "2011-12-30T00:00:00Z",
         "2011-12-31T10:00:00Z"}, /* the missing day opens nothing */
        /* A year ahead, and no further. */
        {"all=closed;2027-03-04=09:00-10:00", "UTC", "2026-03-04T09:00:00Z",
         "2027-03-04T09:00:00Z"},
        {"all=closed;2027-04-08=09:00-10:00", "UTC", "2026-03-04T09:00:00Z",
         "2027-04-08T09:00:00Z"},
        {"all=closed;2027-04-08=09:01-10:00", "UTC", "2026-03-04T09:00:00Z", ""},
        {"all=closed;2020-03-04=09:00-10:00", "UTC", "2026-03-04T09:00:00Z", ""},
        /* Clock changes: skipped openings and closings. */
        {"sun=02:00-04:00", "America/Denver", "2026-03-08T08:00:00Z", "2026-03-08T09:00:00Z"},
        {"sun=02:30-04:00", "America/Denver", "2026-03-08T08:00:00Z", "2026-03-08T09:00:00Z"},
        {"sun=02:10-02:50", "America/Denver", "2026-03-08T08:00:00Z", "2026-03-15T08:10:00Z"},
        {"sun=01:00-02:30", "America/Denver", "2026-03-08T08:59:59Z", "2026-03-08T08:59:59Z"},
        {"sun=01:00-02:30", "America/Denver", "2026-03-08T09:00:00Z", "2026-03-15T07:00:00Z"},
        /* Twice: the first for an opening, the second for a closing. */
        {"sun=01:30-04:00", "America/Denver", "2026-11-01T07:00:00Z", "2026-11-01T07:30:00Z"},
        {"sun=00:00-01:30", "America/Denver", "2026-11-01T08:29:59Z", "2026-11-01T08:29:59Z"},
        {"sun=00:00-01:30", "America/Denver", "2026-11-01T08:30:00Z", "2026-11-08T07:00:00Z"},
        {"sun=01:10-01:20", "America/Denver", "2026-11-01T07:50:00Z", "2026-11-01T07:50:00Z"},
        {"sun=00:00-01:30", "Europe/Dublin", "2026-10-25T01:29:59Z", "2026-10-25T01:29:59Z"},
        {"sun=01:30-03:00", "Europe/Dublin", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"},
        {"sun=01:45-02:00", "Australia/Lord_Howe", "2026-04-04T14:30:00Z", "2026-04-04T14:45:00Z"},
        {"sun=02:10-02:40", "Australia/Lord_Howe", "2026-10-03T15:00:00Z", "2026-10-03T15:30:00Z"},
        {"sun=00:00-08:00", "America/Sao_Paulo", "2018-11-04T02:00:00Z", "2018-11-04T03:00:00Z"},
        {"fri=08:00-17:00", "Pacific/Apia", "2011-12-30T00:00:00Z", "2012-01-05T18:00:00Z"},
        {"thu=22:00-06:00", "Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-30T09:59:59Z"},
        {"thu=22:00-06:00", "Pacific/Apia", "2011-12-30T10:00:00Z", "2012-01-05T08:00:00Z"},
        {"sat=23:00-24:00", "America/Havana", "2026-11-01T04:59:59Z", "2026-11-01T04:59:59Z"},
        {"sat=23:30-24:00", "America/St_Johns", "2007-11-04T03:29:00Z", "2007-11-04T03:29:00Z"},
};

static void next_opening(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(next_cases); i++) {
		const struct hours *hours = read_hours(next_cases[i].hours);
		const struct zone *z = zone(next_cases[i].zone);
		struct instant at = instant(next_cases[i].at), next;
		struct hours_span span;
		char text[INSTANT_TEXT_MAX] = "";
		bool found = hours_next_open(hours, z, at, &next);
		if (found)
			(void)instant_format(next, 0, text);
		if (strcmp(text, next_cases[i].next) != 0)
			fail_msg("case %zu: %s in %s at %s: \"%s\", not \"%s\"", i,
			         next_cases[i].hours, next_cases[i].zone, next_cases[i].at, text,
			         next_cases[i].next);
		bool open = found && next.ms == at.ms;
		if (hours_open_at(hours, z, at, &span) != open)
			fail_msg("case %zu: open_at and next_open disagree", i);
		if (open)
			assert_true(span.open.ms <= at.ms && at.ms < span.close.ms);
	}
}

static const struct {
	const char *hours, *zone, *at, *span; /* "OPEN CLOSE" in UTC; "" for none */
} window_cases[] = {
        {WEEK, "UTC", "2026-03-04T08:00:00Z", "2026-03-04T07:00:00Z 2026-03-04T12:00:00Z"},
        {WEEK, "UTC", "2026-03-04T12:00:00Z", "2026-03-04T13:00:00Z 2026-03-04T17:00:00Z"},
        {WEEK, "UTC", "2026-03-04T00:00:00Z", "2026-03-04T07:00:00Z 2026-03-04T12:00:00Z"},
        {WEEK, "UTC", "2026-03-04T20:00:00Z", "2026-03-04T13:00:00Z 2026-03-04T17:00:00Z"},
        {WEEK, "UTC", "2026-03-07T08:00:00Z", ""},
        {WEEK, "America/Denver", "2026-03-05T02:00:00Z",
         "2026-03-04T20:00:00Z 2026-03-05T00:00:00Z"},
        {"", "UTC", "2026-03-04T08:00:00Z", ""},
        {"2026-03-04=closed", "UTC", "2026-03-05T08:00:00Z", ""},
        {"2026-03-04=closed", "UTC", "2026-03-04T08:00:00Z", ""},
        {"2026-03-04=09:00-10:00", "UTC", "2026-03-04T08:00:00Z",
         "2026-03-04T09:00:00Z 2026-03-04T10:00:00Z"},
        {NIGHTS, "UTC", "2026-03-04T03:00:00Z", "2026-03-03T22:00:00Z 2026-03-04T06:00:00Z"},
        {NIGHTS, "UTC", "2026-03-04T07:00:00Z", "2026-03-04T22:00:00Z 2026-03-05T06:00:00Z"},
        {"sun=02:10-02:50,10:00-11:00", "America/Denver", "2026-03-08T08:00:00Z",
         "2026-03-08T16:00:00Z 2026-03-08T17:00:00Z"},
        {"sun=02:10-02:50", "America/Denver", "2026-03-08T08:00:00Z", ""},
};

static void arrival_windows(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(window_cases); i++) {
		struct hours_span span;
		char text[2 * INSTANT_TEXT_MAX] = "", open[INSTANT_TEXT_MAX],
		              close[INSTANT_TEXT_MAX];
		if (hours_arrival_window(read_hours(window_cases[i].hours),
		                         zone(window_cases[i].zone), instant(window_cases[i].at),
		                         &span))
			(void)snprintf(text, sizeof text, "%s %s",
			               instant_format(span.open, 0, open),
			               instant_format(span.close, 0, close));
		if (strcmp(text, window_cases[i].span) != 0)
			fail_msg("case %zu: %s at %s: \"%s\", not \"%s\"", i, window_cases[i].hours,
			         window_cases[i].at, text, window_cases[i].span);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(days_are_read_and_written),
	        cmocka_unit_test(bad_days_report_what_is_expected),
	        cmocka_unit_test(weekdays_are_read),
	        cmocka_unit_test(next_opening),
	        cmocka_unit_test(arrival_windows),
	};
	arena = arena_new();
	zones = zones_new();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	zones = zones_free(zones);
	arena = arena_free(arena);
	return failed;
}
