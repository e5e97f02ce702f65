/* SPDX-License-Identifier: MIT */
/* Who else is there under our member's name, by the consumers of its group and how long each has
 * said nothing. */
#include "dispatchd/cluster/namesake.h"

#include "common/args.h"
#include "common/clock_ms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NEW_MS = 5000, /* so long we look; each says once a second that it is there */
	LAG_MS = 200,  /* what was said so shortly after we began may have been said before */
};

void namesake_begin(struct namesake *namesake)
{
	*namesake = (struct namesake){.began_ms = 0};
	(void)snprintf(namesake->name, sizeof namesake->name, "new-%08" PRIx32 "%08" PRIx32,
	               arc4random(), arc4random());
}

/* True where the group is there. The consumer comes with it; nothing is read. */
static bool show_up(const struct namesake *namesake, struct sync *redis,
                    const struct member *member, bool *ret_there, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "XREADGROUP", "GROUP", member->name, namesake->name, "COUNT", "1",
	             "STREAMS", member->journal, "0", NULL);
	struct error fault = {0};
	redisReply *reply = sync_run(redis, &args, &fault);
	args_free(&args);
	*ret_there = reply;
	if (reply)
		freeReplyObject(reply);
	return reply || strstr(fault.text, "NOGROUP") ||
	       error_set(err, fault.code, "%s", fault.text);
}

static bool leave(const char *name, struct sync *redis, const struct member *member,
                  struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "XGROUP", "DELCONSUMER", member->journal, member->name, name, NULL);
	redisReply *reply = sync_run(redis, &args, err);
	args_free(&args);
	if (reply)
		freeReplyObject(reply);
	return reply;
}

/* {"name", NAME, "pending", N, "idle", MS, …} */
static bool read_consumer(const redisReply *map, const char **ret_name, int64_t *ret_idle_ms)
{
	*ret_name = NULL;
	*ret_idle_ms = -1;
	for (size_t i = 0; map->type == REDIS_REPLY_ARRAY && i + 1 < map->elements; i += 2) {
		const redisReply *key = map->element[i], *value = map->element[i + 1];
		if (key->type != REDIS_REPLY_STRING)
			continue;
		if (strcmp(key->str, "name") == 0 && value->type == REDIS_REPLY_STRING)
			*ret_name = value->str;
		else if (strcmp(key->str, "idle") == 0 && value->type == REDIS_REPLY_INTEGER)
			*ret_idle_ms = value->integer;
	}
	return *ret_name && *ret_idle_ms >= 0;
}

/* One that has said nothing since we began is of an earlier process, or was ours: it goes. */
static bool look_at(const struct namesake *namesake, const redisReply *consumers,
                    struct sync *redis, const struct member *member, bool *ret_other,
                    struct error *err)
{
	int64_t age_ms = clock_mono_ms() - namesake->began_ms, idle_ms;
	for (size_t i = 0; consumers->type == REDIS_REPLY_ARRAY && i < consumers->elements; i++) {
		const char *name;
		if (!read_consumer(consumers->element[i], &name, &idle_ms) ||
		    strcmp(name, namesake->name) == 0)
			continue;
		bool there = idle_ms + LAG_MS < age_ms;
		if (there && (strncmp(name, "old-", 4) == 0 || strcmp(name, namesake->name) < 0))
			*ret_other = true;
		if (!there && age_ms >= NEW_MS && !leave(name, redis, member, err))
			return false;
	}
	return true;
}

static bool look_for_others(const struct namesake *namesake, struct sync *redis,
                            const struct member *member, bool *ret_other, struct error *err)
{
	struct args args = {0};
	args_add_all(&args, "XINFO", "CONSUMERS", member->journal, member->name, NULL);
	redisReply *reply = sync_run(redis, &args, err);
	args_free(&args);
	if (!reply)
		return false;
	bool good = look_at(namesake, reply, redis, member, ret_other, err);
	freeReplyObject(reply);
	return good;
}

/* From now on whoever comes has to go. */
static bool grow_old(struct namesake *namesake, struct sync *redis, const struct member *member,
                     struct error *err)
{
	char was[NAMESAKE_SIZE];
	bool there;
	memcpy(was, namesake->name, sizeof was);
	memcpy(namesake->name, "old", 3);
	namesake->old = true;
	return show_up(namesake, redis, member, &there, err) && leave(was, redis, member, err);
}

bool namesake_look(struct namesake *namesake, struct sync *redis, const struct member *member,
                   bool *ret_other, struct error *err)
{
	bool there;
	*ret_other = false;
	if (!show_up(namesake, redis, member, &there, err))
		return false;
	if (!there || namesake->old)
		return true;
	if (namesake->began_ms == 0)
		namesake->began_ms = clock_mono_ms();
	if (!look_for_others(namesake, redis, member, ret_other, err))
		return false;
	return *ret_other || clock_mono_ms() - namesake->began_ms < NEW_MS ||
	       grow_old(namesake, redis, member, err);
}
