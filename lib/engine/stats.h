/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include "mail/report.h"
#include "model/histogram.h"
#include "model/words.h"

#include <stdint.h>

/* What the engine counts. A plain struct, so that a failed turn puts back the one before it. */
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

#endif
