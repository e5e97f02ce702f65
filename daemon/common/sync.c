/* SPDX-License-Identifier: MIT */
/*
 * A connection to Redis for programs that may wait: dispatchctl and the checks of `dispatchd -t`.
 * Every command has a deadline; a connection that missed one is not used again.
 */
#include "common/sync.h"

#include "base/mem.h"
#include "base/resp.h"
#include "common/clock.h"
#include "common/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { READ_BYTES = 16 << 10 };

struct sync {
	redisContext *context;
	struct target *target;
	struct resp resp;
	int timeout_ms;
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

static bool send_command(struct sync *sync, const struct args *args, const char **ret_why)
{
	int done = 0;
	*ret_why = sync->context->errstr;
	if (sync->context->err ||
	    redisAppendCommandArgv(sync->context, args->n, args->argv, args->lens) != REDIS_OK)
		return false;
	while (!done)
		if (redisBufferWrite(sync->context, &done) != REDIS_OK)
			return false;
	return true;
}

/* One read, of bytes that were looked at before the parser gets them. */
static bool read_some(struct sync *sync, const char **ret_why)
{
	char bytes[READ_BYTES];
	ssize_t n = read(sync->context->fd, bytes, sizeof(bytes));
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		*ret_why = n == 0            ? "Server closed the connection"
		           : errno == EAGAIN ? "no answer in time"
		                             : strerror(errno);
		return false;
	}
	*ret_why = resp_scan(&sync->resp, bytes, (size_t)n);
	if (!*ret_why && redisReaderFeed(sync->context->reader, bytes, (size_t)n) != REDIS_OK)
		*ret_why = sync->context->reader->errstr;
	return !*ret_why;
}

/* However slowly it comes, it has to be there in time. NULL with the reason where it isn't. */
static redisReply *read_reply(struct sync *sync, const char **ret_why)
{
	int64_t until_ms = clock_tick().ms + sync->timeout_ms;
	for (;;) {
		void *reply = NULL;
		*ret_why = sync->context->reader->errstr;
		if (redisReaderGetReply(sync->context->reader, &reply) != REDIS_OK)
			return NULL;
		if (reply)
			return reply;
		*ret_why = "no answer in time";
		if (clock_tick().ms >= until_ms || !read_some(sync, ret_why))
			return NULL;
	}
}

redisReply *sync_run(struct sync *sync, const struct args *args, struct error *err)
{
	const char *why = "";
	redisReply *reply = send_command(sync, args, &why) ? read_reply(sync, &why) : NULL;
	if (!reply) {
		error_set(err, EX_UNAVAILABLE, "Redis at %s: %s", sync->target->name, why);
		sync->context->err = REDIS_ERR_IO; /* it stays broken */
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
static bool sync_command(struct sync *sync, struct args *args, struct error *err)
{
	redisReply *reply = sync_run(sync, args, err);
	args_reset(args);
	if (!reply)
		return false;
	freeReplyObject(reply);
	return true;
}

static bool handshake(struct sync *sync, struct error *err)
{
	const struct target *target = sync->target;
	struct args args = {0};
	bool ok = true;
	if (target->password) {
		args_add(&args, "AUTH");
		if (target->user)
			args_add(&args, target->user);
		args_add(&args, target->password);
		ok = sync_command(sync, &args, err);
	} else { /* a missing password gives a clear error; a long command is only malformed */
		args_add(&args, "PING");
		ok = sync_command(sync, &args, err);
	}
	if (ok && target->db) {
		args_add(&args, "SELECT");
		args_add_number(&args, target->db);
		ok = sync_command(sync, &args, err);
	}
	args_free(&args);
	return ok;
}

static bool sync_connect(struct sync *sync, int timeout_ms, struct error *err)
{
	const struct target *target = sync->target;
	struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	sync->context = target->socket
	                        ? redisConnectUnixWithTimeout(target->socket, timeout)
	                        : redisConnectWithTimeout(target->host, target->port, timeout);
	if (!sync->context || sync->context->err)
		return error_set(err, EX_UNAVAILABLE, "Redis at %s can't be reached: %s",
		                 target->name, sync->context ? sync->context->errstr : "no memory");
	redisSetTimeout(sync->context, timeout);
	sync->timeout_ms = timeout_ms;
	return handshake(sync, err);
}

struct sync *sync_open(const struct settings *settings, int timeout_ms, struct error *err)
{
	struct target *target = target_new(settings, err);
	if (!target)
		return NULL;
	struct sync *sync = mem_alloc(sizeof(*sync));
	sync->target = target;
	return sync_connect(sync, timeout_ms, err) ? sync : sync_close(sync);
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
