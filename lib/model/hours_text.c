/* SPDX-License-Identifier: MIT */
/* How people write service hours: the same words on the command line, in imports and in what is
 * shown. */
#include "model/hours.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { DAY_MIN = 24 * 60 };

static const char weekday_names[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

const char *hours_weekday_name(int weekday)
{
	return weekday_names[weekday];
}

static void skip_blanks(const char **text)
{
	*text += strspn(*text, " \t");
}

/* A hyphen, or the dash that a text processor makes of one, with blanks around it. */
static bool take_dash(const char **text)
{
	static const char *const dashes[] = {"-", "\u2013", "\u2012", "\u2011"};
	const char *t = *text;
	skip_blanks(&t);
	for (size_t i = 0; i < sizeof dashes / sizeof *dashes; i++) {
		size_t len = strlen(dashes[i]);
		if (strncmp(t, dashes[i], len) == 0) {
			t += len;
			skip_blanks(&t);
			*text = t;
			return true;
		}
	}
	return false;
}

/* Takes one name off `*text`, short or in full; -1 where there is none. */
static int take_weekday(const char **text)
{
	static const char *const ends[7] = {"day", "sday",  "nesday", "rsday",
	                                    "day", "urday", "day"};
	for (int i = 0; i < 7; i++)
		if (strncasecmp(*text, weekday_names[i], 3) == 0) {
			*text += 3;
			if (strncasecmp(*text, ends[i], strlen(ends[i])) == 0)
				*text += strlen(ends[i]);
			return i;
		}
	return -1;
}

bool hours_weekdays_parse(const char *text, unsigned *ret)
{
	unsigned days = 0;
	if (strcasecmp(text, "all") == 0) {
		*ret = (1u << 7) - 1;
		return true;
	}
	for (;; text++) {
		skip_blanks(&text);
		int first = take_weekday(&text), last = first;
		if (first >= 0 && take_dash(&text))
			last = take_weekday(&text);
		skip_blanks(&text);
		if (first < 0 || last < 0 || (*text != ',' && *text != '\0'))
			return false;
		for (int i = first;; i = (i + 1) % 7) { /* fri-mon goes round by the Sunday */
			days |= 1u << i;
			if (i == last)
				break;
		}
		if (*text == '\0')
			break;
	}
	*ret = days;
	return true;
}

/* Takes H:MM or HH:MM, 0:00 to 24:00, off `*text`; -1 where there is none. */
static int take_time(const char **text)
{
	const char *t = *text;
	size_t hour_digits = strspn(t, "0123456789");
	if (hour_digits < 1 || hour_digits > 2 || t[hour_digits] != ':' ||
	    strspn(t + hour_digits + 1, "0123456789") != 2)
		return -1;
	int hour = t[0] - '0';
	if (hour_digits == 2)
		hour = hour * 10 + t[1] - '0';
	t += hour_digits + 1;
	int minutes = hour * 60 + (t[0] - '0') * 10 + t[1] - '0';
	if (t[0] > '5' || minutes > DAY_MIN)
		return -1;
	*text = t + 2;
	return minutes;
}

static bool parse_window(const char *text, size_t len, struct hours_window *ret, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	const char *t = text;
	(void)utf8_quote(text, len, quote);
	int open = take_time(&t);
	bool dash = open >= 0 && take_dash(&t);
	int close = dash ? take_time(&t) : -1;
	if (close < 0 || t != text + len)
		return error_set(err, EX_DATAERR,
		                 "\"%s\" is not a window; expected two times, such as 07:00-12:00, "
		                 "or closed for the whole day",
		                 quote);
	if (open == DAY_MIN)
		return error_set(err, EX_DATAERR,
		                 "\"%s\" opens at 24:00; use 00:00 of the next day", quote);
	if (open == close)
		return error_set(err, EX_DATAERR,
		                 "\"%s\" is empty; a window must not end when it begins (a whole "
		                 "day is 00:00-24:00)",
		                 quote);
	if (close < open)
		close += DAY_MIN;
	*ret = (struct hours_window){.open = (int16_t)open, .close = (int16_t)close};
	return true;
}

static int by_opening(const void *a, const void *b)
{
	const struct hours_window *one = a, *two = b;
	return (one->open > two->open) - (one->open < two->open);
}

static void format_window(struct buf *buf, struct hours_window window)
{
	int close = window.close > DAY_MIN ? window.close - DAY_MIN : window.close;
	buf_printf(buf, "%02d:%02d-%02d:%02d", window.open / 60, window.open % 60, close / 60,
	           close % 60);
}

static bool check_apart(const struct hours_window *windows, size_t n, struct error *err)
{
	for (size_t i = 1; i < n; i++) {
		if (windows[i].open >= windows[i - 1].close)
			continue;
		struct buf both = {0};
		format_window(&both, windows[i - 1]);
		buf_adds(&both, " and ");
		format_window(&both, windows[i]);
		(void)error_set(err, EX_DATAERR, "%s overlap; windows of one day must be apart",
		                both.data);
		buf_free(&both);
		return false;
	}
	return true;
}

static size_t count_commas(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += *text == ',';
	return n;
}

/* Up to a comma, or to a blank behind both times; as far as it is a window, for the fault else. */
static size_t window_len(const char *text)
{
	const char *t = text;
	if (take_time(&t) >= 0 && take_dash(&t) && take_time(&t) >= 0)
		return (size_t)(t - text) + strcspn(t, ", \t");
	size_t len = strcspn(text, ",");
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return len;
}

bool hours_day_parse(const char *text, struct arena *arena, struct hours_day *ret,
                     struct error *err)
{
	if (strcasecmp(text, "closed") == 0) {
		*ret = (struct hours_day){0};
		return true;
	}
	size_t n = 0;
	struct hours_window *windows =
	        arena_new_array(arena, count_commas(text) + 1, struct hours_window);
	for (;; text++) {
		skip_blanks(&text);
		size_t len = window_len(text);
		if (!parse_window(text, len, &windows[n++], err))
			return false;
		text += len;
		skip_blanks(&text);
		if (*text == '\0')
			break;
		if (*text != ',')
			return error_set(
			        err, EX_DATAERR,
			        "separate windows by commas, as in 07:00-12:00,13:00-17:00");
	}
	qsort(windows, n, sizeof *windows, by_opening);
	if (!check_apart(windows, n, err))
		return false;
	*ret = (struct hours_day){.windows = windows, .n = n};
	return true;
}

const char *hours_day_format(const struct hours_day *day, struct arena *arena)
{
	struct buf buf = {0};
	for (size_t i = 0; i < day->n; i++) {
		if (i > 0)
			buf_addc(&buf, ',');
		format_window(&buf, day->windows[i]);
	}
	const char *text = arena_strdup(arena, day->n == 0 ? "closed" : buf.data);
	buf_free(&buf);
	return text;
}
