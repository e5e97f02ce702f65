/* SPDX-License-Identifier: MIT */
/* The lease and its epoch. */
#include "dispatchd/cluster/request_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* KEYS: lease, epoch, journal; ARGV: member, ms, the least epoch that is taken already. */
static const char take_script[] =
        "local held = redis.call('GET', KEYS[1])\n"
        "if held then return {0, held} end\n"
        "local floor = tonumber(ARGV[3])\n"
        "local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)\n"
        "if #last > 0 then\n"
        "  local fields = last[1][2]\n"
        "  for i = 1, #fields, 2 do\n"
        "    if fields[i] == 'epoch' then floor = math.max(floor, tonumber(fields[i + 1])) end\n"
        "  end\n"
        "end\n"
        "local epoch = redis.call('INCR', KEYS[2])\n"
        "if epoch <= floor then\n"
        "  epoch = floor + 1\n"
        "  redis.call('SET', KEYS[2], epoch)\n"
        "end\n"
        "held = string.format('%d %s', epoch, ARGV[1])\n"
        "redis.call('SET', KEYS[1], held, 'PX', ARGV[2])\n"
        "return {1, held}\n";

/* KEYS: lease, epoch; ARGV: the lease as we have it, ms, epoch. One that has run out is still ours
 * while nobody has drawn an epoch since. A Redis without memory refuses SET, but not PEXPIRE: the
 * owner stays, and goes on trimming the journal. */
static const char renew_script[] = "local held = redis.call('GET', KEYS[1])\n"
                                   "if held == ARGV[1] then\n"
                                   "  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
                                   "  return 1\n"
                                   "end\n"
                                   "if not held and redis.call('GET', KEYS[2]) == ARGV[3] then\n"
                                   "  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
                                   "  return 1\n"
                                   "end\n"
                                   "return 0\n";

static const char release_script[] =
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end\n"
        "return 0\n";

static bool read_holder(const redisReply *reply, struct holder *ret)
{
	*ret = (struct holder){0};
	if (reply->type == REDIS_REPLY_NIL)
		return true;
	if (reply->type != REDIS_REPLY_STRING || reply->len >= sizeof ret->text)
		return false;
	memcpy(ret->text, reply->str, reply->len);
	char *end;
	ret->epoch = strtoll(ret->text, &end, 10);
	if (*end != ' ' || strlen(end + 1) >= sizeof ret->name)
		return false;
	(void)snprintf(ret->name, sizeof ret->name, "%s", end + 1);
	return true;
}

bool request_take(struct sync *redis, const struct member *member, int64_t epoch_floor,
                  struct holder *ret, bool *ret_taken, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "EVAL", take_script, "3", member->lease, member->epoch, member->journal,
	             member->name, NULL);
	args_add_number(&args, member->lease_ms);
	args_add_number(&args, epoch_floor);
	redisReply *reply = request_run(redis, &args, err);
	if (!reply)
		return false;
	bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	            reply->element[0]->type == REDIS_REPLY_INTEGER &&
	            read_holder(reply->element[1], ret);
	*ret_taken = good && reply->element[0]->integer == 1;
	freeReplyObject(reply);
	return good || request_strange(err);
}

bool request_renew(struct sync *redis, const struct member *member, const struct holder *ours,
                   int wait, bool *ret_ours, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "EVAL", renew_script, "2", member->lease, member->epoch, ours->text,
	             NULL);
	args_add_number(&args, member->lease_ms);
	args_add_number(&args, ours->epoch);
	redisReply *reply = request_run_and_wait(redis, member, &args, wait, err);
	if (!reply)
		return false;
	bool good = reply->type == REDIS_REPLY_INTEGER || request_strange(err);
	*ret_ours = reply->integer == 1;
	freeReplyObject(reply);
	return good;
}

bool request_release(struct sync *redis, const struct member *member, const struct holder *ours,
                     struct error *err)
{
	struct args args = {0};
	int64_t n;
	args_add_all(&args, "EVAL", release_script, "1", member->lease, ours->text, NULL);
	return request_run_number(redis, &args, &n, err);
}

bool request_holder(struct sync *redis, const struct member *member, struct holder *ret,
                    struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "GET", member->lease, NULL);
	redisReply *reply = request_run(redis, &args, err);
	if (!reply)
		return false;
	bool good = read_holder(reply, ret) || request_strange(err);
	freeReplyObject(reply);
	return good;
}

static bool count_replicas(struct sync *redis, int *ret, struct error *err)
{
	struct args args = {0};
	args_add(&args, "ROLE");
	redisReply *reply = request_run(redis, &args, err);
	if (!reply)
		return false;
	bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements >= 3 &&
	            reply->element[2]->type == REDIS_REPLY_ARRAY;
	*ret = good ? (int)reply->element[2]->elements : 0;
	freeReplyObject(reply);
	return good || error_set(err, EX_UNAVAILABLE, "Redis isn't a master");
}

bool request_wait(struct sync *redis, const struct member *member, int *ret, struct error *err)
{
	int replicas;
	*ret = member->wait;
	if (member->wait >= 0)
		return true;
	if (!count_replicas(redis, &replicas, err))
		return false;
	*ret = replicas > 0;
	return true;
}
