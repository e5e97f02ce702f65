/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include "base/buf.h"
#include "mail/report.h"
#include "model/metric.h"
#include "model/words.h"

#include <stddef.h>
#include <stdint.h>

/* What the engine counts. A plain struct, so that a failed turn puts back the one before it. */
enum { HISTOGRAM_BUCKETS = 12 };
struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS + 1]; /* the last is beyond all bounds */
	double sum_s;
};

enum { EVENT_TYPES = JOB_STATE_COUNT + 3 }; /* the states, the gate's two, and what is malformed */

struct stats {
	uint64_t events[EVENT_TYPES];
	uint64_t outcomes[STATUS_COUNT][REASON_COUNT];
	uint64_t duplicates, duplicates_differing;
	uint64_t rechecks; /* rows looked at again, whatever came of it */
	uint64_t template_faults;
	uint64_t commit_faults;
	uint64_t reports[MAIL_REPORT_KINDS][MAIL_REPORT_VERDICTS]; /* about mails */
	uint64_t refusal_alarms;
	struct histogram commit_s, delivery_s;
};

void histogram_add(struct histogram *histogram, double seconds);
void histogram_print(const struct histogram *histogram, enum metric metric, struct buf *out);

#endif
