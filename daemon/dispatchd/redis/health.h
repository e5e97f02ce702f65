/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_HEALTH_H
#define DISPATCHD_REDIS_HEALTH_H

#include "base/instant.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether one thing in Redis can be used as configured: a stream read, a list read, an outgoing
 * stream written. A connection that works doesn't say so. The log has one line when it begins to
 * fail and one when that is over, however often it is tried in between.
 */
enum { HEALTH_WORDS_MAX = 200 };

struct health {
	const char *kind; /* "stream", for the log, metrics and people */
	const char *name; /* the key's or channel's */
	const char *use;  /* "read", "acknowledged", "written" */
	bool refused;
	struct tick since;            /* while refused */
	char words[HEALTH_WORDS_MAX]; /* Redis' own, while refused */
};

/* Redis has refused it with these words. `event` begins the line in the log: "stream can't be
 * read". */
void health_refuse(struct health *health, const char *event, const char *words);
/* The same at the level that is given, of something that wasn't refused but isn't right. */
void health_report(struct health *health, int level, const char *event, const char *words);
void health_allow(struct health *health); /* it has worked */

#endif
