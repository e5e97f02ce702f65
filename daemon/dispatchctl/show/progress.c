/* SPDX-License-Identifier: MIT */
/*
 * The progress of imports and exports. It goes to standard error and only to a terminal, so that a
 * log or a pipe never sees it.
 */
#include "dispatchctl/show/progress.h"

#include "base/utf8.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_MS = 100, BAR = 24 };

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct progress progress_start(const char *what)
{
	return (struct progress){.what = what, .on = isatty(STDERR_FILENO), .started_ms = now_ms()};
}

/* The time left is shown only once it can be estimated. */
static void print_left(int64_t elapsed_ms, int64_t done, int64_t total)
{
	if (elapsed_ms < 1000 || done <= 0)
		return;
	int64_t left_s =
	        (int64_t)((double)elapsed_ms * (double)(total - done) / (double)done / 1000.0 +
	                  0.5);
	(void)fprintf(stderr, ", %lld:%02lld left", (long long)(left_s / 60),
	              (long long)(left_s % 60));
}

void progress_show(struct progress *progress, int64_t rows, int64_t done, int64_t total)
{
	int64_t now = now_ms(), elapsed = now - progress->started_ms;
	if (!progress->on || (progress->shown && now - progress->last_ms < EVERY_MS))
		return;
	progress->shown = true;
	progress->last_ms = now;
	char what[200];
	(void)fprintf(stderr, "\r%s ", utf8_show(progress->what, what, sizeof what));
	if (total > 0) {
		int full = (int)(done * BAR / total);
		full = full < 0 ? 0 : full > BAR ? BAR : full;
		(void)fprintf(stderr, "[%.*s%*s] ", full, "########################", BAR - full,
		              "");
	}
	(void)fprintf(stderr, "%lld rows", (long long)rows);
	if (elapsed > 0)
		(void)fprintf(stderr, ", %lld/s", (long long)(rows * 1000 / elapsed));
	if (total > 0)
		print_left(elapsed, done, total);
	(void)fprintf(stderr, "\033[K");
	(void)fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	progress->shown = false;
	(void)fprintf(stderr, "\r\033[K");
	(void)fflush(stderr);
}
