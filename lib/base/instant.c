/* SPDX-License-Identifier: MIT */
/* Days by Howard Hinnant's era arithmetic: a year begins in March, so that the leap day ends it. */
#include "base/instant.h"

#include <stdio.h>
#include <string.h>

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

struct day day_of(int year, int month, int mday)
{
	int y = year - (month <= 2);
	int era = (int)floor_div(y, 400);
	int yoe = y - era * 400;
	int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + mday - 1;
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return (struct day){era * 146097 + doe - 719468};
}

void day_split(struct day day, int *ret_year, int *ret_month, int *ret_mday)
{
	int z = day.n + 719468;
	int era = (int)floor_div(z, 146097);
	int doe = z - era * 146097;
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (5 * doy + 2) / 153;
	*ret_mday = doy - (153 * mp + 2) / 5 + 1;
	*ret_month = mp < 10 ? mp + 3 : mp - 9;
	*ret_year = yoe + era * 400 + (*ret_month <= 2);
}

int day_weekday(struct day day)
{
	int w = (day.n + 3) % 7; /* 1970-01-01 was a Thursday */
	return w < 0 ? w + 7 : w;
}

/* Reads exactly `count` digits at `*p` and moves it on; -1 where there are none. */
static int digits(const char **p, int count)
{
	int n = 0;
	for (int i = 0; i < count; i++) {
		if ((*p)[i] < '0' || (*p)[i] > '9')
			return -1;
		n = n * 10 + ((*p)[i] - '0');
	}
	*p += count;
	return n;
}

static bool take(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool day_read(const char **p, struct day *ret)
{
	int year = digits(p, 4);
	if (year < 1 || !take(p, '-'))
		return false;
	int month = digits(p, 2);
	if (month < 1 || month > 12 || !take(p, '-'))
		return false;
	int mday = digits(p, 2);
	if (mday < 1 || mday > 31)
		return false;
	struct day day = day_of(year, month, mday);
	int y, m, d;
	day_split(day, &y, &m, &d);
	if (m != month) /* the 30th of February is a day of March */
		return false;
	*ret = day;
	return true;
}

bool day_parse(const char *text, struct day *ret)
{
	struct day day;
	if (!day_read(&text, &day) || *text != '\0')
		return false;
	*ret = day;
	return true;
}

const char *day_format(struct day day, char text[DAY_TEXT_MAX])
{
	text[0] = '\0';
	if (day_is_none(day))
		return text;
	int y, m, d;
	day_split(day, &y, &m, &d);
	(void)snprintf(text, DAY_TEXT_MAX, "%04d-%02d-%02d", y, m, d);
	return text;
}

static bool fraction_read(const char **p, int *ret_ms)
{
	*ret_ms = 0;
	if (!take(p, '.') && !take(p, ','))
		return true;
	int count = 0;
	for (int weight = 100; **p >= '0' && **p <= '9'; (*p)++, count++, weight /= 10)
		*ret_ms += (**p - '0') * weight;
	return count > 0;
}

static bool offset_read(const char **p, int *ret_s)
{
	*ret_s = 0;
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return true;
	}
	int sign = **p == '-' ? -1 : 1;
	if (!take(p, '+') && !take(p, '-'))
		return false;
	int h = digits(p, 2);
	if (h < 0 || h > 23)
		return false;
	int m = take(p, ':') || **p != '\0' ? digits(p, 2) : 0;
	if (m < 0 || m > 59)
		return false;
	*ret_s = sign * (h * 3600 + m * 60);
	return true;
}

/* Seconds and their fraction; 0 where they are left out. */
static bool seconds_read(const char **p, int *ret_s, int *ret_ms)
{
	*ret_s = *ret_ms = 0;
	if (!take(p, ':'))
		return true;
	*ret_s = digits(p, 2);
	if (*ret_s < 0 || *ret_s > 60 || !fraction_read(p, ret_ms))
		return false;
	if (*ret_s == 60)
		*ret_ms = 0;
	return true;
}

bool instant_parse(const char *text, struct instant *ret)
{
	const char *p = text;
	struct day day;
	int s, ms, offset_s;
	if (!day_read(&p, &day) || (*p != 'T' && *p != 't' && *p != ' '))
		return false;
	p++;
	int h = digits(&p, 2);
	if (h < 0 || h > 23 || !take(&p, ':'))
		return false;
	int m = digits(&p, 2);
	if (m < 0 || m > 59 || !seconds_read(&p, &s, &ms) || !offset_read(&p, &offset_s) ||
	    *p != '\0')
		return false;
	ret->ms = ((int64_t)day.n * 86400 + h * 3600 + m * 60 + s - offset_s) * 1000 + ms;
	return true;
}

/* By hand, as it is asked for with every answer and outcome: snprintf takes ten times as long. */
static char *put(char *to, int value, int digits, char end)
{
	for (int i = digits; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
	to[digits] = end;
	return to + digits + 1;
}

const char *instant_format(struct instant t, int offset_s, char text[INSTANT_TEXT_MAX])
{
	text[0] = '\0';
	if (instant_is_none(t))
		return text;
	int offset_min = (int)floor_div(offset_s, 60);
	int64_t local = t.ms + (int64_t)offset_min * 60000;
	int64_t days = floor_div(local, 86400000);
	int rest = (int)(local - days * 86400000);
	int y, m, d;
	day_split((struct day){(int32_t)days}, &y, &m, &d);
	if (y < 0 || y > 9999) { /* far beyond what anybody enters */
		(void)snprintf(text, INSTANT_TEXT_MAX, "%04d-%02d-%02dT00:00:00Z", y, m, d);
		return text;
	}
	char *at = put(put(put(text, y, 4, '-'), m, 2, '-'), d, 2, 'T');
	at = put(put(put(at, rest / 3600000, 2, ':'), rest / 60000 % 60, 2, ':'), rest / 1000 % 60,
	         2, '.');
	at = rest % 1000 != 0 ? put(at, rest % 1000, 3, '\0') : at;
	int off = offset_min < 0 ? -offset_min : offset_min;
	at[-1] = off == 0 ? 'Z' : offset_min < 0 ? '-' : '+';
	*at = '\0';
	if (off != 0)
		(void)put(put(at, off / 60 % 100, 2, ':'), off % 60, 2, '\0');
	return text;
}
