/* SPDX-License-Identifier: MIT */
#ifndef OVERVIEW_DELAYS_H
#define OVERVIEW_DELAYS_H

#include "base/instant.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * From when on people are shown a delay, and from when on `status` calls it a problem: entries of a
 * feed that wait to be decided are behind, a mail that should have gone is late. The alerts of
 * conf/monitoring have longer limits of their own.
 */
enum {
	BEHIND_SHOWN_MS = 10 * 1000,
	BEHIND_PROBLEM_MS = 60 * 1000,
	LATE_SHOWN_MS = 60 * 1000,
	LATE_PROBLEM_MS = 10 * 60 * 1000,
	LOSS_PROBLEM_MS = 24 * 60 * 60 * 1000, /* for so long; what was lost stays lost */
};

/* Whether the oldest entry of a feed, as the daemon's status has it, has waited for longer. */
bool feed_is_behind(const json_t *feed, struct instant now, int64_t limit_ms);
/* Whether entries of it were lost unread lately. */
bool feed_has_lost(const json_t *feed, struct instant now);

#endif
