/* SPDX-License-Identifier: MIT */
/* Which server a program that waits talks to: the configured one, or the master that sentinels
 * name. */
#include "base/mem.h"
#include "common/sentinel.h"
#include "common/sync.h"
#include "common/target.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* A server that was the master may not know yet that it isn't. A user who may not ask finds out by
 * what it answers. */
static bool is_master(struct sync *sync, const char *name, struct error *err)
{
	struct args args = {0};
	args_add(&args, "ROLE");
	redisReply *reply = sync_run(sync, &args, err);
	args_free(&args);
	if (!reply)
		return err->code == EX_NOPERM;
	bool master = sentinel_is_master(reply);
	freeReplyObject(reply);
	return master ||
	       error_set(err, EX_UNAVAILABLE,
	                 "Redis at %s: the sentinels name a server that isn't a master", name);
}

static struct sync *try_at(const struct target *target, const struct settings *settings,
                           const struct sentinel_answer *at, int timeout_ms, struct error *err)
{
	struct target *master = target_new(settings, err);
	if (!master)
		return NULL;
	free(master->host);
	master->host = mem_strdup(at->host);
	master->port = at->port;
	struct sync *sync = sync_reach(master, timeout_ms, err);
	return sync && is_master(sync, target->name, err) ? sync : sync_close(sync);
}

/* The first sentinel to answer may know less than the others, so each has its turn at being the
 * first. Those that name the same server as the one before have nothing to add. */
static struct sync *reach_master(struct target *target, const struct settings *settings,
                                 int timeout_ms, struct error *err)
{
	const struct sentinel_login login = {target->user, target->password};
	struct sentinel_answer at, before = {.port = 0};
	struct sync *sync = NULL;
	for (size_t i = 0; i < target->sentinels->n && !sync; i++, before = at) {
		if (i > 0)
			target_turn_sentinels(target);
		if (!sentinels_ask(target->sentinels, &login, &at, err)) {
			error_prefix(err, "Redis at %s", target->name);
			break;
		}
		if (at.port != before.port || strcmp(at.host, before.host) != 0)
			sync = try_at(target, settings, &at, timeout_ms, err);
	}
	return sync;
}

struct sync *sync_open(const struct settings *settings, int timeout_ms, struct error *err)
{
	struct target *target = target_new(settings, err);
	if (!target)
		return NULL;
	if (!target->sentinels)
		return sync_reach(target, timeout_ms, err);
	struct sync *sync = reach_master(target, settings, timeout_ms, err);
	target_free(target);
	return sync;
}

bool sync_is_agreed(const struct sync *sync, struct error *err)
{
	const struct target *here = sync_target(sync);
	const struct sentinel_login login = {here->user, here->password};
	struct sentinel_answer at;
	if (!here->sentinels)
		return true;
	if (!sentinels_agree(here->sentinels, &login, &at, err))
		return error_prefix(err, "Redis at %s", here->name);
	return (at.port == target_port(here) && strcmp(at.host, target_host(here)) == 0) ||
	       error_set(err, EX_UNAVAILABLE,
	                 "Redis at %s: most sentinels name another server than the one in use",
	                 here->name);
}
