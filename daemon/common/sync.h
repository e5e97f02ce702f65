/* SPDX-License-Identifier: MIT */
#ifndef COMMON_SYNC_H
#define COMMON_SYNC_H

#include "base/error.h"
#include "common/args.h"
#include "model/settings.h"

#include <hiredis/hiredis.h>

/*
 * Redis for programs and threads that may wait (dispatchctl, the daemon's in a cluster): one
 * connection, one command at a time, each within `timeout_ms`. Never for the daemon's loop.
 *
 *	struct sync *redis = sync_open(settings, 5000, &err);
 *	redisReply *reply = sync_run(redis, &args, &err);
 *	...
 *	freeReplyObject(reply);
 *	sync_close(redis);
 */
struct sync;

/* Connects and shakes hands as the daemon does. NULL with `err` (69 not reached, 77 refused) on
 * failure. */
struct sync *sync_open(const struct settings *settings, int timeout_ms,
                       struct error *err) MUST_CHECK;
/* The same at the target's host, not asking its sentinels; takes `target` over. */
struct target;
struct sync *sync_reach(struct target *target, int timeout_ms, struct error *err) MUST_CHECK;
/* Which server it is connected to. */
const struct target *sync_target(const struct sync *sync);
/* Behind Sentinel: whether more than half of the sentinels name the server that it is connected to.
 * Code 69 where they don't; asks each, a second at most. True without Sentinel. */
bool sync_is_agreed(const struct sync *sync, struct error *err) MUST_CHECK;
/* Connects to any server that speaks the protocol, without more; `name` is for messages. */
struct sync *sync_dial(const char *name, const char *host, int port, int timeout_ms,
                       struct error *err) MUST_CHECK;
/* AUTH; `user` may be NULL. */
bool sync_login(struct sync *sync, const char *user, const char *password,
                struct error *err) MUST_CHECK;
struct sync *sync_close(struct sync *sync); /* takes NULL; returns NULL */

/*
 * The answer, to be freed with freeReplyObject(). An error that Redis answers is a fault, too:
 * NULL, with its words in `err` (77 where rights are wanting, else 69), and sync_run() may go on. A
 * connection that broke stays broken.
 */
redisReply *sync_run(struct sync *sync, const struct args *args, struct error *err) MUST_CHECK;

/*
 * Two commands that are sent together. True with both answers, each to be freed with
 * freeReplyObject(), errors that Redis answers among them; false where one of them didn't come.
 * Another node of a Cluster is followed as the first says.
 */
bool sync_run_pair(struct sync *sync, const struct args *first, const struct args *second,
                   redisReply *ret[2], struct error *err) MUST_CHECK;

#endif
