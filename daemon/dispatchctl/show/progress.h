/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_SHOW_PROGRESS_H
#define DISPATCHCTL_SHOW_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* A line on standard error that shows the progress of a long task; nothing unless that is a
 * terminal. */
struct progress {
	const char *what; /* "importing" */
	bool on, shown;
	int64_t started_ms, last_ms;
};

struct progress progress_start(const char *what);
/* `done` of `total` bytes; 0: unknown. Draws at most ten times a second. */
void progress_show(struct progress *progress, int64_t rows, int64_t done, int64_t total);
/* Before anything else is written there, and at the end. */
void progress_clear(struct progress *progress);

#endif
