/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_GAP_H
#define DISPATCHD_REDIS_GAP_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Entries that left a stream (MAXLEN, XTRIM, XDEL) before our group got them. From Redis 7 on a
 * stream counts what was ever added, and a group what of that it is past: what is neither past nor
 * still there is lost.
 *
 *   added:   |-------- past the group --------|//// lost ////|------ still there ------|
 *                                     last delivered id     first id
 */
struct gap {
	char at[48];      /* the group's last delivered id at the last look; "" before the first */
	int64_t reported; /* lost entries right behind it that are counted already */
	bool based;   /* `base` is known: since the connection is new, and where we alone read */
	int64_t base; /* what the group is past, less what was delivered to us */
	int64_t delivered; /* to us, since the start: new entries alone */
};

/* The answer to XINFO STREAM FULL, taken while no read is under way. How many entries have been
 * lost since the last look; 0 where Redis doesn't know. */
int64_t gap_check(struct gap *gap, const redisReply *stream, const char *group,
                  const char *consumer);
/* The connection is new: what was delivered may not have reached us. */
void gap_reset(struct gap *gap);

#endif
