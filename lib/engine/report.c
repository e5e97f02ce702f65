/* SPDX-License-Identifier: MIT */
/*
 * Lines for the log. What comes one line a delivery is always logged; what a broken publisher can
 * cause without end, and is another thing each time, is logged so often a minute and then summed
 * up. All else has the log's own limit: the same line once a minute.
 */
#include "engine/report.h"

#include "engine/engine_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

enum { REPORTS_MAX = 8192 /* a turn */, MINUTE_MS = 60 * 1000 };

/* For each kind: how many lines a minute, and what the rest is called. */
static const struct {
	unsigned most;
	const char *rest;
} kinds[REPORT_KINDS] = {
        [REPORT_DEAD] = {.most = 200,
                         .rest = "dead letters; all of them are in the dead-letter stream"},
        [REPORT_AHEAD] = {.most = 1, .rest = "more events whose time is ahead of ours"},
        [REPORT_DIFFERING] = {.most = 50, .rest = "duplicates with other content"},
        [REPORT_LARGE] = {.most = 20, .rest = "mails that leave out data of events"},
        [REPORT_ADDRESS] = {.most = 200, .rest = "refused addresses"},
        [REPORT_BOUNCE] = {.most = 200, .rest = "reports about mails; see dispatchctl bounce list"},
};

static void report_line(struct engine *engine, int level, bool each, const char *fmt, va_list args)
        PRINTF_LIKE(4, 0);
static void report_line(struct engine *engine, int level, bool each, const char *fmt, va_list args)
{
	char text[1200];
	/* Those at debug leave room for what an admin has to see. */
	size_t max = level == LOG_DEBUG ? REPORTS_MAX / 2 : REPORTS_MAX;
	if (engine->out->n_reports >= max)
		return;
	(void)vsnprintf(text, sizeof text, fmt, args);
	turn_output_report(engine->out, level, each, text);
}

void engine_report(struct engine *engine, int level, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	report_line(engine, level, false, fmt, args);
	va_end(args);
}

void engine_report_act(struct engine *engine, int level, const char *fmt, ...)
{
	va_list args;
	if (message_level(level) >= LOG_INFO && engine->in->terse)
		return;
	va_start(args, fmt);
	report_line(engine, level, true, fmt, args);
	va_end(args);
}

void engine_report_often(struct engine *engine, enum report_kind kind, int level, const char *fmt,
                         ...)
{
	struct report_minute *minute = &engine->minutes[kind];
	va_list args;
	if (minute->logged == 0)
		minute->began_ms = engine->now.ms;
	if (minute->logged == kinds[kind].most) {
		minute->kept_back++;
		return;
	}
	minute->logged++;
	va_start(args, fmt);
	report_line(engine, level, true, fmt, args);
	va_end(args);
}

/* A minute that is over is summed up. */
void engine_sum_up(struct engine *engine)
{
	for (size_t i = 0; i < REPORT_KINDS; i++) {
		struct report_minute *minute = &engine->minutes[i];
		int64_t age_ms = engine->now.ms - minute->began_ms;
		if (minute->logged == 0 || (age_ms >= 0 && age_ms < MINUTE_MS))
			continue;
		if (minute->kept_back > 0)
			engine_report(engine, LOG_WARNING,
			              "not logged one by one in the last minute n=%u: %s",
			              minute->kept_back, kinds[i].rest);
		*minute = (struct report_minute){0};
	}
}
