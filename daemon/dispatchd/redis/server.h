/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_SERVER_H
#define DISPATCHD_REDIS_SERVER_H

#include "dispatchd/redis/connection.h"
#include "dispatchd/redis/publish.h"
#include "dispatchd/redis/resolve.h"

/*
 * Which server is behind the connections. Another one than the one that confirmed publications last
 * (by its run id: a replica that was promoted, or the same one restarted) may not have what that
 * got just before it went, so this is published again. So may another node of a Cluster: one that
 * was cut off, and then replaced, names it as well. Behind Sentinel the sentinels are asked now and
 * then which the master is: one that was cut off from the others answers as if nothing were.
 */
enum { SERVER_LOOK_MS = 5000 };

struct server;

/* `named` gets the master that most sentinels name. The target and the publisher must outlive it.
 */
struct server *server_new(struct event_base *base, struct target *target,
                          struct publisher *publisher,
                          void (*named)(void *arg, const struct resolved *master), void *arg);
/* Before the first connection: another machine has published until now, and what Redis lost at the
 * end of that nobody knows: the last minute is published again. */
void server_succeed(struct server *server);
struct server *server_free(struct server *server); /* takes NULL; returns NULL */
/* The connection for commands is new, and the publisher has been reset. */
void server_reset(struct server *server, struct redis_connection *commands);
/* That connection is lost, or didn't come about. */
void server_lost(struct server *server);

#endif
