/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_LOG_H
#define DISPATCHD_SYS_LOG_H

#include "base/error.h"
#include "model/message.h"

#include <stdbool.h>
#include <syslog.h>

/*
 * The daemon's log: standard error as "level: text", or the journal with fields where standard
 * error is the journal's. Each line is one sentence, then key=value fields; under the journal each
 * of them becomes a field of its own, DISPATCHD_KEY. Thread-safe. Levels are those of syslog(3),
 * each together with a message of model/message.h where there is one. dispatchd(8), DIAGNOSTICS,
 * lists all lines and fields: tests/check/lines.py.
 */

/* Once, before the first line: finds out about the journal. The lowest level that is written is
 * $DISPATCHD_LOG, else the one that was last set, else info. */
void log_start(void);
void log_set_level(int level);

/* Whether lines of that level are written. */
bool log_takes(int level);

/* For what can't repeat by itself: a start, a stop, what a person did, one delivery. */
void log_write(int level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* For all else, which may come over and over: the same text, but for what is in quotes, is written
 * once a minute at most, then with how often it came. The last one of a minute is written when the
 * minute is over, by log_last(). */
void log_fault(int level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The same for a line with numbers that differ each time: it is one and the same where it is about
 * the same thing, such as the relay. */
void log_state(int level, const char *about, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Every second: without it the log would end with a state that has changed since. */
void log_last(void);

#endif
