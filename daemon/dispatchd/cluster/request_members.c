/* SPDX-License-Identifier: MIT */
/* The members: how far each is in the journal, and what of it goes. */
#include "dispatchd/cluster/request_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Behind the name of a member that needs a seed: its place isn't where it is, but from where on the
 * journal is kept for the seed. */
#define SEED_SUFFIX " (seed)"

enum { GROUP_SIZE = MEMBER_NAME_SIZE + sizeof SEED_SUFFIX };

static const char *group_of(const struct member *member, bool seed, char ret[GROUP_SIZE])
{
	(void)snprintf(ret, GROUP_SIZE, "%s%s", member->name, seed ? SEED_SUFFIX : "");
	return ret;
}

static bool set_group(struct sync *redis, const struct member *member, int64_t number, bool seed,
                      bool *ret_new, struct error *err)
{
	char id[32], group[GROUP_SIZE];
	struct args args = {0};
	(void)snprintf(id, sizeof id, "%" PRId64 "-1", number);
	group_of(member, seed, group);
	args_add_all(&args, "XGROUP", "SETID", member->journal, group, id, NULL);
	struct error fault;
	redisReply *reply = request_run(redis, &args, &fault);
	*ret_new = false;
	if (!reply && (strstr(fault.text, "NOGROUP") || strstr(fault.text, "the key to exist"))) {
		args_add_all(&args, "XGROUP", "CREATE", member->journal, group, id, "MKSTREAM",
		             NULL);
		reply = request_run(redis, &args, &fault);
		*ret_new = true;
	}
	if (!reply) {
		*err = fault;
		return false;
	}
	freeReplyObject(reply);
	return true;
}

bool request_progress(struct sync *redis, const struct member *member, int64_t number, bool seed,
                      struct error *err)
{
	bool new;
	int64_t gone;
	char other[GROUP_SIZE];
	struct args args = {0};
	if (!set_group(redis, member, number, seed, &new, err))
		return false;
	if (!new)
		return true;
	/* What it was before. */
	args_add_all(&args, "XGROUP", "DESTROY", member->journal, group_of(member, !seed, other),
	             NULL);
	return request_run_number(redis, &args, &gone, err);
}

static const redisReply *value_of(const redisReply *map, const char *name)
{
	for (size_t i = 0; map->type == REDIS_REPLY_ARRAY && i + 1 < map->elements; i += 2)
		if (map->element[i]->type == REDIS_REPLY_STRING &&
		    strcmp(map->element[i]->str, name) == 0)
			return map->element[i + 1];
	return NULL;
}

static bool read_standbys(const redisReply *groups, struct arena *arena, struct standby_place **ret,
                          size_t *ret_n)
{
	if (groups->type != REDIS_REPLY_ARRAY)
		return false;
	*ret = arena_alloc(arena, (groups->elements + 1) * sizeof **ret);
	for (size_t i = 0; i < groups->elements; i++) {
		const redisReply *name = value_of(groups->element[i], "name");
		const redisReply *last = value_of(groups->element[i], "last-delivered-id");
		struct standby_place *f = &(*ret)[*ret_n];
		if (!name || name->type != REDIS_REPLY_STRING || !last ||
		    !request_read_number(last, &f->number))
			return false;
		size_t len = strlen(name->str), suffix = sizeof SEED_SUFFIX - 1;
		f->seed = len > suffix && strcmp(name->str + len - suffix, SEED_SUFFIX) == 0;
		f->name = arena_strndup(arena, name->str, f->seed ? len - suffix : len);
		++*ret_n;
	}
	return true;
}

bool request_standbys(struct sync *redis, const struct member *member, struct arena *arena,
                      struct standby_place **ret, size_t *ret_n, struct error *err)
{
	struct args args = {0};
	struct error fault;
	args_add_all(&args, "XINFO", "GROUPS", member->journal, NULL);
	redisReply *reply = request_run(redis, &args, &fault);
	*ret = NULL;
	*ret_n = 0;
	if (!reply && strstr(fault.text, "no such key"))
		return true;
	if (!reply) {
		*err = fault;
		return false;
	}
	bool good = read_standbys(reply, arena, ret, ret_n);
	freeReplyObject(reply);
	return good || request_strange(err);
}

bool request_trim(struct sync *redis, const struct member *member, int64_t before,
                  int64_t *ret_bytes, struct error *err)
{
	char id[32];
	int64_t n;
	struct args args = {0};
	(void)snprintf(id, sizeof id, "%" PRId64 "-0", before);
	args_add_all(&args, "XTRIM", member->journal, "MINID", "=", id, NULL);
	*ret_bytes = 0;
	if (!request_run_number(redis, &args, &n, err))
		return false;
	args_add_all(&args, "MEMORY", "USAGE", member->journal, NULL);
	redisReply *reply = request_run(redis, &args, err);
	if (!reply)
		return false;
	*ret_bytes = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
	freeReplyObject(reply);
	return true;
}
