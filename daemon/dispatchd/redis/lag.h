/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_LAG_H
#define DISPATCHD_REDIS_LAG_H

#include "base/instant.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * How far our group is behind a stream. In a stream's own order: what is acknowledged, what was
 * delivered and isn't acknowledged yet, what is unread.
 */
enum { LAG_UNKNOWN = -1, LAG_ID_MAX = 48 };

struct lag {
	bool known;      /* Redis has answered */
	int64_t unread;  /* not delivered to the group; LAG_UNKNOWN where Redis doesn't know (below
	                    7) */
	int64_t pending; /* delivered, to whichever consumer, and not acknowledged */
	struct instant
	        oldest; /* when the oldest of both was added, by its id; INSTANT_NONE: none */
};

/* The answer to XINFO STREAM FULL COUNT 1. True where only the stream knows the oldest unread
 * entry: lag_read_oldest() is then to get the answer to XRANGE from behind the id `ret_after`. */
bool lag_read(struct lag *lag, const redisReply *stream, const char *group,
              char ret_after[LAG_ID_MAX]);
void lag_read_oldest(struct lag *lag, const redisReply *entries);

#endif
