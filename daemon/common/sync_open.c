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

/* Behind Sentinel: a server that was the master may not know yet that it isn't. A user who may not
 * ask finds out by what it answers. */
static bool is_master(struct sync *sync, const struct target *target, struct error *err)
{
	struct args args = {0};
	args_add(&args, "ROLE");
	redisReply *reply = sync_run(sync, &args, err);
	args_free(&args);
	if (!reply)
		return err->code == EX_NOPERM;
	bool master = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
	              reply->element[0]->type == REDIS_REPLY_STRING &&
	              strcmp(reply->element[0]->str, "master") == 0;
	freeReplyObject(reply);
	return master || error_set(err, EX_UNAVAILABLE,
	                           "Redis at %s: the sentinels name a server that isn't a master",
	                           target->name);
}

static bool find_master(struct target *target, struct error *err)
{
	struct sentinel_answer answer;
	if (!sentinels_ask(target->sentinels, &answer, err))
		return error_prefix(err, "Redis at %s", target->name);
	free(target->host);
	target->host = mem_strdup(answer.host);
	target->port = answer.port;
	return true;
}

struct sync *sync_open(const struct settings *settings, int timeout_ms, struct error *err)
{
	struct target *target = target_new(settings, err);
	if (!target)
		return NULL;
	if (target->sentinels && !find_master(target, err)) {
		target_free(target);
		return NULL;
	}
	struct sync *sync = sync_reach(target, timeout_ms, err);
	if (sync && target->sentinels && !is_master(sync, target, err))
		return sync_close(sync);
	return sync;
}
