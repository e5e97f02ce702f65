/* SPDX-License-Identifier: MIT */
/*
 * Two ways to see it. Right behind the last entry delivered, by the numbers alone; good whoever
 * reads. And, between two looks, the group is past more than was delivered: good only where we are
 * its one consumer. Where Redis isn't sure (deleted entries in the middle) it answers nil, and we
 * report nothing.
 */
#include "dispatchd/redis/gap.h"

#include "dispatchd/redis/xinfo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool id_after(const char *a, const char *b)
{
	uint64_t a_ms, a_seq, b_ms, b_seq;
	if (sscanf(a, "%" SCNu64 "-%" SCNu64, &a_ms, &a_seq) != 2 ||
	    sscanf(b, "%" SCNu64 "-%" SCNu64, &b_ms, &b_seq) != 2)
		return false;
	return a_ms > b_ms || (a_ms == b_ms && a_seq > b_seq);
}

static bool alone(const redisReply *group, const char *consumer)
{
	const redisReply *consumers = xinfo_value(group, "consumers");
	return consumers && consumers->type == REDIS_REPLY_ARRAY && consumers->elements == 1 &&
	       xinfo_named(consumers, consumer);
}

/* What was added, is not past and not there. All that is there is still to be delivered: the oldest
 * went first. */
static int64_t lost_ahead(const redisReply *stream, const redisReply *group, int64_t past)
{
	int64_t added, length;
	if (!xinfo_number(stream, "entries-added", &added) ||
	    !xinfo_number(stream, "length", &length))
		return 0;
	bool all_unread = !length || id_after(xinfo_text(stream, "recorded-first-entry-id"),
	                                      xinfo_text(group, "last-delivered-id"));
	return all_unread && added - past > length ? added - past - length : 0;
}

int64_t gap_check(struct gap *gap, const redisReply *stream, const char *group_name,
                  const char *consumer)
{
	const redisReply *group = xinfo_named(xinfo_value(stream, "groups"), group_name);
	int64_t past;
	if (!group || !xinfo_number(group, "entries-read", &past)) {
		gap->based = false;
		return 0;
	}
	const char *at = xinfo_text(group, "last-delivered-id");
	int64_t ahead = lost_ahead(stream, group, past), before = 0;
	int64_t known = strcmp(gap->at, at) ? 0 : gap->reported;
	bool sole = alone(group, consumer);
	/* What was right ahead at the last look is behind now, and counted. */
	if (sole && gap->based) {
		before = past - gap->delivered - gap->base;
		if (strcmp(gap->at, at) != 0)
			before -= gap->reported;
	}
	gap->based = sole;
	gap->base = past - gap->delivered;
	gap->reported = ahead > known ? ahead : known;
	snprintf(gap->at, sizeof(gap->at), "%s", at);
	return (before > 0 ? before : 0) + (ahead > known ? ahead - known : 0);
}

void gap_reset(struct gap *gap)
{
	gap->based = false;
}
