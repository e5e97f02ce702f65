/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_SERVER_H
#define DISPATCHD_REDIS_SERVER_H

#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/redis/connection.h"
#include "dispatchd/redis/resolve.h"

/*
 * Which server is behind the connections. Another one than before (by its run id: a replica that
 * was promoted, or the same one restarted) may not have what was written to the last just before it
 * went: what was published in the last minute is published again, under the same ids. Behind
 * Sentinel it is asked now and then whether the server is still the one: a master that was cut off
 * from the others answers as if nothing were.
 */
enum { SERVER_LOOK_MS = 5000, SERVER_AGAIN_MS = 60000 };

struct server;

/* `named` gets the master that most sentinels name. The target must outlive it. */
struct server *server_new(struct event_base *base, struct target *target,
                          struct engine_thread *engine,
                          void (*named)(void *arg, const struct resolved *master), void *arg);
struct server *server_free(struct server *server); /* takes NULL; returns NULL */
/* The next one is another, and has all that this one had. */
void server_forget(struct server *server);
/* The connection for commands is new. */
void server_reset(struct server *server, struct redis_connection *commands);

#endif
