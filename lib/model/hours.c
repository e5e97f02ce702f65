/* SPDX-License-Identifier: MIT */
/*
 * Service hours on the time line. A window is laid out from the day on which it opens, with the
 * contract's rules for clock changes, and only then compared with an instant; wall times are never
 * compared with each other. A window whose both ends fall into one gap is empty and never opens.
 *
 * A day for which hours say nothing is open from its first instant to the first of the next.
 */
#include "model/hours.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { DAY_MIN = 24 * 60, DAY_MS = DAY_MIN * 60 * 1000 };

static const char weekday_names[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

const char *hours_weekday_name(int weekday)
{
	return weekday_names[weekday];
}

/* Takes one name off `*text`; -1 where there is none. */
static int take_weekday(const char **text)
{
	for (int i = 0; i < 7; i++)
		if (strncmp(*text, weekday_names[i], 3) == 0) {
			*text += 3;
			return i;
		}
	return -1;
}

bool hours_weekdays_parse(const char *text, unsigned *ret)
{
	unsigned days = 0;
	if (strcmp(text, "all") == 0) {
		*ret = (1u << 7) - 1;
		return true;
	}
	for (;; text++) {
		int first = take_weekday(&text), last = first;
		if (first >= 0 && *text == '-') {
			text++;
			last = take_weekday(&text);
		}
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

/* Takes HH:MM, 00:00 to 24:00, off `*text`; -1 where there is none. */
static int take_time(const char **text)
{
	const char *t = *text;
	if (strspn(t, "0123456789") != 2 || t[2] != ':' || strspn(t + 3, "0123456789") != 2)
		return -1;
	int minutes = ((t[0] - '0') * 10 + t[1] - '0') * 60 + (t[3] - '0') * 10 + t[4] - '0';
	if (t[3] > '5' || minutes > DAY_MIN)
		return -1;
	*text += 5;
	return minutes;
}

static bool parse_window(const char *text, size_t len, struct hours_window *ret, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	const char *t = text;
	(void)utf8_quote(text, len, quote);
	int open = take_time(&t);
	bool dash = open >= 0 && *t == '-';
	t += dash;
	int close = dash ? take_time(&t) : -1;
	if (close < 0 || t != text + len)
		return error_set(err, EX_DATAERR,
		                 "\"%s\" is no window; two times are meant, such as 07:00-12:00", quote);
	if (open == DAY_MIN)
		return error_set(err, EX_DATAERR, "\"%s\" opens at 24:00; 00:00 of the next day is meant",
		                 quote);
	if (open == close)
		return error_set(err, EX_DATAERR,
		                 "\"%s\" is empty; a window ends at another time than it begins (a whole day "
		                 "is 00:00-24:00)",
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
	buf_printf(buf, "%02d:%02d-%02d:%02d", window.open / 60, window.open % 60, close / 60, close % 60);
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
		(void)error_set(err, EX_DATAERR, "%s overlap; windows of one day lie apart", both.data);
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

bool hours_day_parse(const char *text, struct arena *arena, struct hours_day *ret, struct error *err)
{
	if (strcmp(text, "closed") == 0) {
		*ret = (struct hours_day){0};
		return true;
	}
	size_t n = 0;
	struct hours_window *windows = arena_new_array(arena, count_commas(text) + 1, struct hours_window);
	for (;; text++) {
		text += strspn(text, " ");
		size_t len = strcspn(text, ", ");
		if (!parse_window(text, len, &windows[n++], err))
			return false;
		text += len;
		text += strspn(text, " ");
		if (*text == '\0')
			break;
		if (*text != ',')
			return error_set(err, EX_DATAERR, "windows are parted by commas");
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

static int by_day(const void *key, const void *date)
{
	const struct day *day = key;
	const struct hours_date *other = date;
	return (day->n > other->day.n) - (day->n < other->day.n);
}

/* The windows that open on that day; NULL where hours say nothing about it. */
static const struct hours_day *windows_of(const struct hours *hours, struct day day)
{
	const struct hours_date *date = hours->n_dates == 0 ? NULL
	                                                    : bsearch(&day, hours->dates, hours->n_dates,
	                                                              sizeof *hours->dates, by_day);
	if (date != NULL)
		return &date->hours;
	return hours->weekly ? &hours->week[day_weekday(day)] : NULL;
}

static struct hours_span lay_out(const struct zone *zone, struct day day, struct hours_window window)
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

/* A real window that contains `at`, or, where `silent` allows it, a whole day about which hours say nothing.
 */
static bool find_open(const struct hours *hours, const struct zone *zone, struct instant at, bool silent,
                      struct hours_span *ret)
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

/* The earliest instant not before `at` at which a window of that day is open; INSTANT_NEVER for none. */
static struct instant day_opens(const struct hours *hours, const struct zone *zone, struct day day,
                                struct instant at)
{
	struct instant best = INSTANT_NEVER;
	const struct hours_day *windows = windows_of(hours, day);
	size_t n = windows == NULL ? 1 : windows->n;
	for (size_t i = 0; i < n; i++) {
		struct hours_span span =
		        windows == NULL ? whole_day(zone, day) : lay_out(zone, day, windows->windows[i]);
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
