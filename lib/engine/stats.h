/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STATS_H
#define ENGINE_STATS_H

#include "base/instant.h"
#include "mail/report.h"
#include "model/histogram.h"
#include "model/words.h"

#include <stdbool.h>
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

/* All that is shown of the engine as of its last turn: copied after each, and made a text of only
 * when somebody asks. */
struct figures {
	struct stats stats;
	int64_t mails[STATUS_COUNT];
	struct instant first_due; /* of the mails that wait; INSTANT_NEVER: none does */
	bool paused, redirected, breaker_open;
	int64_t held_back, waiting_events, unpublished;
};

/* As Prometheus text (contract, section 9); `now` for what grows with time. */
void figures_print(const struct figures *figures, struct instant now, struct buf *out);

#endif
