/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_CONNECTION_H
#define DISPATCHD_REDIS_CONNECTION_H

#include "common/args.h"
#include "common/target.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One connection to Redis that comes back for ever: resolved in a thread, handshake (AUTH, SELECT,
 * ROLE, PING), watched for a peer that has died, retried with backoff and jitter. It decides
 * nothing and logs nothing: its owner gets `up` and `down`.
 *
 *   BACKOFF ──▶ RESOLVING ──▶ CONNECTING ──▶ HANDSHAKE ──▶ READY
 *      ▲            └───────────────┴────────────┴──────────┤
 *      └──────────────────────── FAILING ◀──────────────────┘     any ──▶ CLOSED
 */
struct event_base;
struct redisReply;
struct redis_connection;

struct redis_connection_events {
	void (*up)(void *arg); /* ready for commands; nothing is left of those before */
	/* Was ready, or a try has failed; it goes on trying by itself. */
	void (*down)(void *arg, const char *why);
	/* Redis answered that this server is not the one to use, or not now (READONLY,
	 * LOADING): all connections to it are to be renewed. What was asked gets NULL for an
	 * answer. */
	void (*unusable)(void *arg, const char *words);
};

/* The answer to a command; NULL where the connection broke before it came: Redis may or may not
 * have done it. The reply is gone after the call. */
typedef void redis_connection_reply(void *arg, const struct redisReply *reply);

/* `patience_ms`: without any answer for so long while one is awaited, the peer counts as dead; has
 * to be longer than a blocking command blocks. `target` must outlive the connection. */
struct redis_connection *redis_connection_new(struct event_base *base, const struct target *target,
                                              int64_t patience_ms,
                                              const struct redis_connection_events *events,
                                              void *arg);
void redis_connection_open(struct redis_connection *connection);
/* The connection can't be used anymore: it is dropped after the callback that is running, and made
 * again, later each time that this happens within a short while. Does nothing unless it is
 * ready. */
void redis_connection_renew(struct redis_connection *connection, const char *why);
/* Ends it for good, from the loop's top (not from a connection's callback); answers awaited come as
 * NULL. */
void redis_connection_close(struct redis_connection *connection);
/* Closes it. Takes NULL; returns NULL. */
struct redis_connection *redis_connection_free(struct redis_connection *connection);

/* Where it is connected to; NULL unless it is ready, and for a Unix socket. */
struct resolved;
const struct resolved *redis_connection_peer(const struct redis_connection *connection);

bool redis_connection_ready(const struct redis_connection *connection);
/* Commands not yet answered. */
unsigned redis_connection_awaited(const struct redis_connection *connection);

/* False (and no answer will come) where the connection isn't ready. The command is copied. */
bool redis_connection_send(struct redis_connection *connection, const struct args *args,
                           redis_connection_reply *fn, void *arg);

/* SUBSCRIBE: `fn` gets every message and confirmation until the connection goes down, then one
 * NULL. Called again it only requests another confirmation: the heartbeat of a connection that
 * awaits nothing else. */
bool redis_connection_subscribe(struct redis_connection *connection, const char *channel,
                                redis_connection_reply *fn, void *arg);

uint32_t redis_connection_random(void); /* for the jitter of backoff_ms() */

#endif
