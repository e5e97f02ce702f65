/* SPDX-License-Identifier: MIT */
#include "redis/sync.h"

#include "base/mem.h"
#include "redis/target.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct sync {
	redisContext *context;
	struct target *target;
};

/* Redis' words that mean a want of rights. */
static bool is_denied(const char *words)
{
	static const char *const denials[] = {"NOAUTH", "WRONGPASS", "NOPERM"};
	for (size_t i = 0; i < sizeof(denials) / sizeof(denials[0]); i++)
		if (!strncmp(words, denials[i], strlen(denials[i])))
			return true;
	return false;
}

redisReply *sync_run(struct sync *sync, const struct args *args, struct error *err)
{
	redisReply *reply = redisCommandArgv(sync->context, args->n, args->argv, args->lens);
	if (!reply) {
		error_set(err, EX_UNAVAILABLE, "Redis at %s: %s", sync->target->name, sync->context->errstr);
		return NULL;
	}
	if (reply->type != REDIS_REPLY_ERROR)
		return reply;
	error_set(err, is_denied(reply->str) ? EX_NOPERM : EX_UNAVAILABLE, "Redis at %s: %s",
	          sync->target->name, reply->str);
	freeReplyObject(reply);
	return NULL;
}

/* Runs it for its effect alone, and empties `args`. */
static bool say(struct sync *sync, struct args *args, struct error *err)
{
	redisReply *reply = sync_run(sync, args, err);
	args_reset(args);
	if (!reply)
		return false;
	freeReplyObject(reply);
	return true;
}

static bool introduce(struct sync *sync, struct error *err)
{
	const struct target *target = sync->target;
	struct args args = {0};
	bool ok = true;
	if (target->password) {
		args_add(&args, "AUTH");
		if (target->user)
			args_add(&args, target->user);
		args_add(&args, target->password);
		ok = say(sync, &args, err);
	} else { /* a want of a password is told in clear words; a long command would only be a fault of form
		  */
		args_add(&args, "PING");
		ok = say(sync, &args, err);
	}
	if (ok && target->db) {
		args_add(&args, "SELECT");
		args_add_number(&args, target->db);
		ok = say(sync, &args, err);
	}
	args_free(&args);
	return ok;
}

static bool connect_to(struct sync *sync, int timeout_ms, struct error *err)
{
	const struct target *target = sync->target;
	struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	sync->context = target->socket ? redisConnectUnixWithTimeout(target->socket, timeout)
	                               : redisConnectWithTimeout(target->host, target->port, timeout);
	if (!sync->context || sync->context->err)
		return error_set(err, EX_UNAVAILABLE, "Redis at %s can't be reached: %s", target->name,
		                 sync->context ? sync->context->errstr : "no memory");
	redisSetTimeout(sync->context, timeout);
	return introduce(sync, err);
}

struct sync *sync_open(const struct settings *settings, int timeout_ms, struct error *err)
{
	struct target *target = target_new(settings, err);
	if (!target)
		return NULL;
	struct sync *sync = mem_alloc(sizeof(*sync));
	sync->target = target;
	return connect_to(sync, timeout_ms, err) ? sync : sync_close(sync);
}

struct sync *sync_close(struct sync *sync)
{
	if (!sync)
		return NULL;
	if (sync->context)
		redisFree(sync->context);
	target_free(sync->target);
	free(sync);
	return NULL;
}
