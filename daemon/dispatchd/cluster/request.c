/* SPDX-License-Identifier: MIT */
/* Sending, waiting for replicas, and reading an answer: what lease, journal and members share. */
#include "dispatchd/cluster/request_private.h"

#include <stdlib.h>
#include <sysexits.h>

bool request_strange(struct error *err)
{
	return error_set(err, EX_UNAVAILABLE, "Redis gave an answer that isn't one");
}

redisReply *request_run(struct sync *redis, struct args *args, struct error *err)
{
	redisReply *reply = sync_run(redis, args, err);
	args_free(args);
	return reply;
}

bool request_run_number(struct sync *redis, struct args *args, int64_t *ret, struct error *err)
{
	redisReply *reply = request_run(redis, args, err);
	if (!reply)
		return false;
	bool good = reply->type == REDIS_REPLY_INTEGER || request_strange(err);
	*ret = reply->integer;
	freeReplyObject(reply);
	return good;
}

bool request_read_number(const redisReply *value, int64_t *ret)
{
	char *end;
	if (value->type != REDIS_REPLY_STRING)
		return false;
	*ret = strtoll(value->str, &end, 10);
	return end != value->str && (*end == '\0' || *end == '-');
}

/* Both answers, the second of which is WAIT's. */
static bool enough(const redisReply *waited, int wait, struct error *err)
{
	if (waited->type == REDIS_REPLY_ERROR)
		return error_set(err, EX_UNAVAILABLE, "Redis: %s", waited->str);
	return (waited->type == REDIS_REPLY_INTEGER && waited->integer >= wait) ||
	       error_set(err, EX_UNAVAILABLE,
	                 "only %lld of %d replicas of Redis have it within the time",
	                 waited->type == REDIS_REPLY_INTEGER ? waited->integer : 0, wait);
}

redisReply *request_run_and_wait(struct sync *redis, const struct member *member, struct args *args,
                                 int wait, struct error *err)
{
	struct args waits = {0};
	redisReply *replies[2];
	if (wait == 0)
		return request_run(redis, args, err);
	args_add(&waits, "WAIT");
	args_add_number(&waits, wait);
	args_add_number(&waits, member->lease_ms / 4);
	bool good = sync_run_pair(redis, args, &waits, replies, err);
	args_free(args);
	args_free(&waits);
	if (!good)
		return NULL;
	if (replies[0]->type == REDIS_REPLY_ERROR)
		good = error_set(err, EX_UNAVAILABLE, "Redis: %s", replies[0]->str);
	else
		good = enough(replies[1], wait, err);
	freeReplyObject(replies[1]);
	if (good)
		return replies[0];
	freeReplyObject(replies[0]);
	return NULL;
}

enum { KEPT_MS = 2000 }; /* less than a follower's patience with its connection */

bool request_is_kept(struct sync *redis, int wait, struct error *err)
{
	struct args args = {0};
	args_add(&args, "WAIT");
	args_add_number(&args, wait);
	args_add_number(&args, KEPT_MS);
	redisReply *reply = request_run(redis, &args, err);
	if (!reply)
		return false;
	bool kept = enough(reply, wait, err);
	freeReplyObject(reply);
	return kept;
}
