/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include "base/error.h"

#include <stdint.h>

struct engine;

/* Lines for the log, once the turn is committed. */

/* Lines that can come without end, by what they tell of. */
enum report_kind {
	REPORT_DEAD,
	REPORT_AHEAD,
	REPORT_DIFFERING,
	REPORT_TEMPLATE,
	REPORT_LARGE,
	REPORT_ADDRESS,
	REPORT_KINDS
};
struct report_minute {
	int64_t began_ms;
	unsigned logged, kept_back;
};

/* `level` as in syslog(3). One line a delivery or a person's act: all of them are logged. */
void engine_report(struct engine *engine, int level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* So many a minute of its kind, and then a sum. */
void engine_report_often(struct engine *engine, enum report_kind kind, int level, const char *fmt,
                         ...) PRINTF_LIKE(4, 5);
/* Minutes that are over are summed up. Once a turn. */
void engine_sum_up(struct engine *engine);

#endif
