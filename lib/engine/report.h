/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "base/error.h"
#include "model/message.h"

#include <stdint.h>

struct engine;

/* Lines for the log, once the turn is committed. */

/* Kinds of lines that can come without end. */
enum report_kind {
	REPORT_DEAD,
	REPORT_AHEAD,
	REPORT_DIFFERING,
	REPORT_LARGE,
	REPORT_ADDRESS,
	REPORT_BOUNCE,
	REPORT_KINDS
};
struct report_minute {
	int64_t began_ms;
	unsigned logged, kept_back;
};

/* `level` as in syslog(3), with a message of model/message.h where there is one. The same text
 * comes once a minute at most, as log_fault() has it. */
void engine_report(struct engine *engine, int level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* One line a delivery or a person's act: all of them are logged. */
void engine_report_act(struct engine *engine, int level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A limited number per minute of its kind, then a summary. */
void engine_report_often(struct engine *engine, enum report_kind kind, int level, const char *fmt,
                         ...) PRINTF_LIKE(4, 5);
/* Summarizes the minutes that are over. Once per turn. */
void engine_sum_up(struct engine *engine);

#endif
