/* SPDX-License-Identifier: MIT */
/* Durations and sizes share one reader and one writer; each is a table of units, largest last. */
#include "base/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t size;
};

static const struct unit durations[] = {
        {.name = "ms", .size = 1},           {.name = "s", .size = 1000},
        {.name = "m", .size = 60 * 1000},    {.name = "h", .size = 60 * 60 * 1000},
        {.name = "d", .size = 24 * 3600000},
};
enum { N_DURATIONS = sizeof durations / sizeof durations[0] };

static const struct unit sizes[] = {
        {.name = "", .size = 1},
        {.name = "KiB", .size = 1 << 10},
        {.name = "MiB", .size = 1 << 20},
        {.name = "GiB", .size = 1 << 30},
};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

static bool parse(const char *text, const struct unit *units, size_t n, int64_t max, int64_t *ret)
{
	int64_t number = 0;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0)
		return false;
	for (size_t i = 0; i < digits; i++) {
		int digit = text[i] - '0';
		if (number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(units[i].name, text + digits) != 0)
			continue;
		if (number > max / units[i].size)
			return false;
		*ret = number * units[i].size;
		return true;
	}
	return false;
}

static const char *format(int64_t value, const struct unit *units, size_t n,
                          char text[UNITS_TEXT_MAX])
{
	size_t i = n - 1;
	while (i > 0 && value % units[i].size != 0)
		i--;
	(void)snprintf(text, UNITS_TEXT_MAX, "%" PRId64 "%s", value / units[i].size, units[i].name);
	return text;
}

bool duration_parse(const char *text, int64_t *ret_ms)
{
	return parse(text, durations, N_DURATIONS, DURATION_MAX_MS, ret_ms);
}

const char *duration_format(int64_t ms, char text[UNITS_TEXT_MAX])
{
	if (ms == 0)
		return strcpy(text, "0s");
	return format(ms, durations, N_DURATIONS, text);
}

bool size_parse(const char *text, int64_t *ret_bytes)
{
	return parse(text, sizes, N_SIZES, INT64_MAX, ret_bytes);
}

const char *size_format(int64_t bytes, char text[UNITS_TEXT_MAX])
{
	if (bytes == 0)
		return strcpy(text, "0");
	return format(bytes, sizes, N_SIZES, text);
}
