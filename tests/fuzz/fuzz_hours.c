/* SPDX-License-Identifier: MIT */
/* Input: a day's service hours, or weekdays, as a person types them. What is read keeps its
 * promises, and written and read again it is the same. */
#include "model/hours.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_windows(const struct hours_day *day)
{
	for (size_t i = 0; i < day->n; i++) {
		const struct hours_window *window = &day->windows[i];
		must(window->open >= 0 && window->open < 1440);
		must(window->close > window->open && window->close <= window->open + 1440);
		must(i == 0 || day->windows[i - 1].close <= window->open);
	}
}

static void check_day(const char *text, struct arena *arena)
{
	struct hours_day day = {0}, again = {0};
	struct error err = {0};
	if (!hours_day_parse(text, arena, &day, &err)) {
		must(err.code != 0 && err.text[0] != '\0' &&
		     utf8_valid(err.text, strlen(err.text)));
		return;
	}
	check_windows(&day);
	const char *written = hours_day_format(&day, arena);
	must(hours_day_parse(written, arena, &again, &err));
	must(day.n == again.n);
	must(day.n == 0 || memcmp(day.windows, again.windows, day.n * sizeof day.windows[0]) == 0);
	must(strcmp(written, hours_day_format(&again, arena)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *text = arena_alloc(arena, size + 1);
	unsigned days = 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_day(text, arena);
	must(!hours_weekdays_parse(text, &days) || (days > 0 && days < 1U << 7));
	(void)arena_free(arena);
	return 0;
}
