/* SPDX-License-Identifier: MIT */
#include "dispatchd/redis/lag.h"

#include "dispatchd/redis/xinfo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The time of the first of a list of entries: each begins with its id. */
static struct instant first_of(const redisReply *list)
{
	const uint64_t last_ms = 253402300799999; /* of the year 9999: ids may be anything */
	uint64_t ms;
	const redisReply *first =
	        list && list->type == REDIS_REPLY_ARRAY && list->elements ? list->element[0] : NULL;
	if (!first || first->type != REDIS_REPLY_ARRAY || !first->elements ||
	    first->element[0]->type != REDIS_REPLY_STRING ||
	    sscanf(first->element[0]->str, "%" SCNu64 "-", &ms) != 1 || ms > last_ms)
		return INSTANT_NONE;
	return (struct instant){(int64_t)ms};
}

bool lag_read(struct lag *lag, const redisReply *stream, const char *group_name,
              char ret_after[LAG_ID_MAX])
{
	const redisReply *group = xinfo_named(xinfo_value(stream, "groups"), group_name);
	const char *delivered = xinfo_text(group, "last-delivered-id");
	*lag = (struct lag){.unread = LAG_UNKNOWN, .oldest = INSTANT_NONE};
	if (!group || !xinfo_number(group, "pel-count", &lag->pending))
		return false;
	lag->known = true;
	(void)xinfo_number(group, "lag", &lag->unread);
	if (strcmp(delivered, xinfo_text(stream, "last-generated-id")) == 0)
		lag->unread = 0;
	lag->oldest = first_of(xinfo_value(group, "pending"));
	snprintf(ret_after, LAG_ID_MAX, "%s", delivered);
	return lag->pending == 0 && lag->unread != 0;
}

void lag_read_oldest(struct lag *lag, const redisReply *entries)
{
	lag->oldest = first_of(entries);
	if (entries->type == REDIS_REPLY_ARRAY && !entries->elements)
		lag->unread = 0; /* what was added last has been deleted */
}
