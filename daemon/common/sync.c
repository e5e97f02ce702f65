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
	struct target *target;
	redisContext *context;
	struct tls_stream *tls; /* NULL without TLS */
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

/* Of a read or a write that failed. */
static const char *sync_why(const struct sync *sync)
{
	if (errno == EPROTO && sync->tls)
		return tls_stream_why(sync->tls);
	return errno == EAGAIN ? "no answer in time" : strerror(errno);
}

static bool send_bytes(struct sync *sync, const char *bytes, size_t n, const char **ret_why)
{
	while (n > 0) {
		ssize_t written = sync->tls ? tls_stream_write(sync->tls, bytes, n)
		                            : write(sync->context->fd, bytes, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			*ret_why = sync_why(sync);
			return false;
		}
		bytes += written;
		n -= (size_t)written;
	}
	return true;
}

static bool send_command(struct sync *sync, const struct args *args, const char **ret_why)
{
	char *text = NULL;
	*ret_why = sync->context->err ? sync->context->errstr : "no memory for a command";
	if (sync->context->err)
		return false;
	int n = (int)redisFormatCommandArgv(&text, args->n, args->argv, args->lens);
	if (n < 0)
		return false;
	bool ok = send_bytes(sync, text, (size_t)n, ret_why);
	redisFreeCommand(text);
	return ok;
}

/* One read, of bytes that were looked at before the parser gets them. */
static bool read_some(struct sync *sync, const char **ret_why)
{
	char bytes[READ_BYTES];
	ssize_t n = sync->tls ? tls_stream_read(sync->tls, bytes, sizeof(bytes))
	                      : read(sync->context->fd, bytes, sizeof(bytes));
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		*ret_why = n == 0 ? "Server closed the connection" : sync_why(sync);
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

static bool sync_connect(struct sync *sync, struct error *err);
static void sync_hang_up(struct sync *sync);

/* No answer came: it stays broken. */
static bool sync_broken(struct sync *sync, const char *why, struct error *err)
{
	sync->context->err = REDIS_ERR_IO;
	return error_set(err, EX_UNAVAILABLE, "Redis at %s: %s", sync->target->name, why);
}

/* NULL with `err` where no answer came. */
static redisReply *run_once(struct sync *sync, const struct args *args, struct error *err)
{
	const char *why = "";
	redisReply *reply = send_command(sync, args, &why) ? read_reply(sync, &why) : NULL;
	if (!reply)
		sync_broken(sync, why, err);
	return reply;
}

static bool run_pair_once(struct sync *sync, const struct args *first, const struct args *second,
                          redisReply *ret[2], struct error *err)
{
	const char *why = "";
	ret[0] = ret[1] = NULL;
	if (send_command(sync, first, &why) && send_command(sync, second, &why) &&
	    (ret[0] = read_reply(sync, &why)) && (ret[1] = read_reply(sync, &why)))
		return true;
	if (ret[0])
		freeReplyObject(ret[0]);
	ret[0] = NULL;
	sync_broken(sync, why, err);
	return false;
}

/* Where another node of a Cluster has the keys, once more there. */
static redisReply *run_there(struct sync *sync, const struct args *args, redisReply *reply,
                             struct error *err)
{
	if (reply->type != REDIS_REPLY_ERROR || !target_follow(sync->target, reply->str))
		return reply;
	freeReplyObject(reply);
	sync_hang_up(sync);
	return sync_connect(sync, err) ? run_once(sync, args, err) : NULL;
}

/* The first says where the keys are; the second may have none. */
bool sync_run_pair(struct sync *sync, const struct args *first, const struct args *second,
                   redisReply *ret[2], struct error *err)
{
	if (!run_pair_once(sync, first, second, ret, err))
		return false;
	if (ret[0]->type != REDIS_REPLY_ERROR || !target_follow(sync->target, ret[0]->str))
		return true;
	freeReplyObject(ret[0]);
	freeReplyObject(ret[1]);
	sync_hang_up(sync);
	return sync_connect(sync, err) && run_pair_once(sync, first, second, ret, err);
}

redisReply *sync_run(struct sync *sync, const struct args *args, struct error *err)
{
	redisReply *reply = run_once(sync, args, err);
	if (reply)
		reply = run_there(sync, args, reply, err);
	if (!reply || reply->type != REDIS_REPLY_ERROR)
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

bool sync_login(struct sync *sync, const char *user, const char *password, struct error *err)
{
	struct args args = {0};
	args_add(&args, "AUTH");
	if (user)
		args_add(&args, user);
	args_add(&args, password);
	bool ok = sync_command(sync, &args, err);
	args_free(&args);
	return ok;
}

static bool handshake(struct sync *sync, struct error *err)
{
	const struct target *target = sync->target;
	struct args args = {0};
	bool ok = true;
	if (target->password) {
		ok = sync_login(sync, target->user, target->password, err);
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

static void sync_hang_up(struct sync *sync)
{
	sync->tls = tls_stream_free(sync->tls);
	if (sync->context)
		redisFree(sync->context);
	sync->context = NULL;
	sync->resp = (struct resp){0};
}

static bool sync_open_socket(struct sync *sync, struct error *err)
{
	const struct target *target = sync->target;
	const char *host = target_host(target);
	struct timeval timeout = {.tv_sec = sync->timeout_ms / 1000,
	                          .tv_usec = sync->timeout_ms % 1000 * 1000};
	sync->context = target->socket
	                        ? redisConnectUnixWithTimeout(target->socket, timeout)
	                        : redisConnectWithTimeout(host, target_port(target), timeout);
	if (!sync->context || sync->context->err)
		return error_set(err, EX_UNAVAILABLE, "Redis at %s can't be reached: %s",
		                 target->name, sync->context ? sync->context->errstr : "no memory");
	redisSetTimeout(sync->context, timeout);
	if (target->trust)
		sync->tls = tls_stream_new(target->trust, sync->context->fd, host);
	return !target->trust || sync->tls ||
	       error_set(err, EX_CONFIG, "Redis at %s: TLS: no certificate can have that name",
	                 target->name);
}

static bool sync_connect(struct sync *sync, struct error *err)
{
	return sync_open_socket(sync, err) && handshake(sync, err);
}

struct sync *sync_dial(const char *name, const char *host, int port, int timeout_ms,
                       struct error *err)
{
	struct sync *sync = mem_alloc(sizeof(*sync));
	sync->timeout_ms = timeout_ms;
	sync->target = mem_alloc(sizeof(*sync->target));
	sync->target->name = mem_strdup(name);
	sync->target->host = mem_strdup(host);
	sync->target->port = port;
	return sync_open_socket(sync, err) ? sync : sync_close(sync);
}

struct sync *sync_reach(struct target *target, int timeout_ms, struct error *err)
{
	struct sync *sync = mem_alloc(sizeof(*sync));
	sync->target = target;
	sync->timeout_ms = timeout_ms;
	return sync_connect(sync, err) ? sync : sync_close(sync);
}

const struct target *sync_target(const struct sync *sync)
{
	return sync->target;
}

struct sync *sync_close(struct sync *sync)
{
	if (!sync)
		return NULL;
	sync_hang_up(sync);
	target_free(sync->target);
	free(sync);
	return NULL;
}
