/* SPDX-License-Identifier: MIT */
/*
 * Answers questions about zones and service hours, so that a test can hold them against another
 * implementation. A question a line, its parts parted by tabs; an answer a line, instants in
 * milliseconds of UTC:
 *
 *      wall ZONE DAY MINUTE           FIRST SECOND
 *      local ZONE AT                  OFFSET_S DAY MINUTE
 *      hours ZONE HOURS AT            open|closed NEXT|never ARRIVE_BY LEAVE_BY (or - -)
 *
 * HOURS is "mon-fri=07:00-12:00;2026-12-25=closed", dates ascending and behind the weekdays.
 */
#include "base/zone.h"
#include "model/hours.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 4, LINE_MAX_BYTES = 8192, DATES_MAX = 64 };

struct probe {
	struct zones *zones;
	struct arena *arena;
	const struct zone *zone;
	char *parts[PARTS_MAX];
};

static _Noreturn void die(const char *what, const char *text)
{
	(void)fprintf(stderr, "hours_probe: %s: %s\n", what, text);
	exit(1);
}

static struct day read_day(const char *text)
{
	struct day day;
	if (!day_parse(text, &day))
		die("no day", text);
	return day;
}

static void read_part(struct probe *probe, char *part, struct hours *hours,
                      struct hours_date *dates)
{
	struct hours_day day;
	struct error err;
	unsigned days;
	char *value = strchr(part, '=');
	if (value == NULL)
		die("no hours", part);
	*value++ = '\0';
	if (!hours_day_parse(value, probe->arena, &day, &err))
		die("no hours", err.text);
	if (!hours_weekdays_parse(part, &days)) {
		if (hours->n_dates == DATES_MAX)
			die("too many dates", part);
		dates[hours->n_dates++] = (struct hours_date){read_day(part), day};
		return;
	}
	hours->weekly = true;
	for (int i = 0; i < 7; i++)
		if (days & 1u << i)
			hours->week[i] = day;
}

static void read_hours(struct probe *probe, char *text, struct hours *ret,
                       struct hours_date dates[DATES_MAX])
{
	*ret = (struct hours){.dates = dates};
	char *rest = text, *part;
	while (*rest != '\0' && (part = strsep(&rest, ";")) != NULL) {
		read_part(probe, part, ret, dates);
		if (rest == NULL)
			break;
	}
}

static void answer_wall(struct probe *probe)
{
	struct day day = read_day(probe->parts[2]);
	int minute = atoi(probe->parts[3]);
	printf("%" PRId64 " %" PRId64 "\n", zone_instant(probe->zone, day, minute, ZONE_FIRST).ms,
	       zone_instant(probe->zone, day, minute, ZONE_SECOND).ms);
}

static void answer_local(struct probe *probe)
{
	struct instant at = {strtoll(probe->parts[2], NULL, 10)};
	char text[DAY_TEXT_MAX];
	printf("%d %s %d\n", zone_offset_s(probe->zone, at),
	       day_format(zone_day(probe->zone, at), text), zone_minute(probe->zone, at));
}

static void answer_hours(struct probe *probe)
{
	struct hours_date dates[DATES_MAX];
	struct hours hours;
	struct hours_span span;
	struct instant at = {strtoll(probe->parts[3], NULL, 10)}, next;
	read_hours(probe, probe->parts[2], &hours, dates);
	printf("%s ", hours_open_at(&hours, probe->zone, at, &span) ? "open" : "closed");
	if (hours_next_open(&hours, probe->zone, at, &next))
		printf("%" PRId64 " ", next.ms);
	else
		printf("never ");
	if (hours_arrival_window(&hours, probe->zone, at, &span))
		printf("%" PRId64 " %" PRId64 "\n", span.open.ms, span.close.ms);
	else
		printf("- -\n");
}

static const struct question {
	const char *name;
	int parts;
	void (*answer)(struct probe *probe);
} questions[] = {
        {.name = "wall", .parts = 4, .answer = answer_wall},
        {.name = "local", .parts = 3, .answer = answer_local},
        {.name = "hours", .parts = 4, .answer = answer_hours},
};

static void answer(struct probe *probe, char *line)
{
	int n = 0;
	for (char *rest = line; n < PARTS_MAX && rest != NULL; n++)
		probe->parts[n] = strsep(&rest, "\t");
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
		if (strcmp(questions[i].name, line) != 0 || questions[i].parts != n)
			continue;
		probe->zone = zone_find(probe->zones, probe->parts[1]);
		if (probe->zone == NULL)
			die("no zone", probe->parts[1]);
		questions[i].answer(probe);
		arena_reset(probe->arena);
		return;
	}
	die("no question", line);
}

int main(void)
{
	struct probe probe = {.zones = zones_new(), .arena = arena_new()};
	static char line[LINE_MAX_BYTES];
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		answer(&probe, line);
	}
	(void)arena_free(probe.arena);
	(void)zones_free(probe.zones);
	return 0;
}
