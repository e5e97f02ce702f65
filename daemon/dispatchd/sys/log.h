/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_LOG_H
#define DISPATCHD_SYS_LOG_H

#include "base/error.h"

#include <stdbool.h>
#include <syslog.h>

/*
 * The daemon's log: standard error as "level: text", or the journal with fields where standard
 * error is the journal's. Each line is one sentence, then key=value fields; under the journal each
 * of them becomes a field of its own, DISPATCHD_KEY. Thread-safe. Levels are those of syslog(3).
 */

/* Once, before the first line: finds out about the journal and the lowest level, $DISPATCHD_LOG
 * (info). */
void log_start(void);

/* Whether lines of that level are written. */
bool log_takes(int level);

void log_write(int level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* For faults that may come over and over: the same text is written once a minute at most, then with
 * how often it came. */
void log_fault(int level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
