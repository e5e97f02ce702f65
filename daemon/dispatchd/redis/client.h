/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_CLIENT_H
#define DISPATCHD_REDIS_CLIENT_H

#include "base/buf.h"
#include "base/error.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/redis/health.h"
#include "dispatchd/redis/lag.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * All of the daemon's dealings with Redis, as the loop sees them: connections for reading streams,
 * for commands, and where configured for the list and the channel; the sources on them; the
 * publisher.
 */
struct event_base;
struct redis_client;

/* `wake` asks for a turn of the loop. Connects as soon as the loop runs. `settings` are copied. */
struct redis_client *redis_client_new(struct event_base *base, const struct settings *settings,
                                      struct engine_thread *engine, void (*wake)(void *arg),
                                      void *arg, struct error *err) MUST_CHECK;
struct redis_client *redis_client_free(struct redis_client *client); /* takes NULL; returns NULL */

/* What of it may change while it runs. */
void redis_client_reload(struct redis_client *client, const struct settings *settings);
/* They are committed: acknowledges them. */
void redis_client_done(struct redis_client *client, struct intake *list);
/* Takes them over. */
void redis_client_publish(struct redis_client *client, struct publications *list);
/* Does all that is due. */
void redis_client_turn(struct redis_client *client);
/* Reads no more. Not from within its callbacks. */
void redis_client_close(struct redis_client *client);
/* All connections are there, and to a server that can be used. */
bool redis_client_connected(const struct redis_client *client);

/* One thing that is configured and how it is. */
struct redis_part {
	const char *kind, *name, *use; /* as in struct health */
	const char *words;             /* why it can't be used; NULL where it can */
	uint64_t lost;                 /* entries that were removed before they were read */
	struct instant lost_at;        /* the last of them */
	int64_t since_ms;              /* how long it can't; 0 where that isn't known */
	const struct lag *lag;         /* of a stream that is read; NULL where it isn't known */
};
/* The parts by number from 0: every feed and every stream that is written. False beyond the last.
 * Asking makes what may have become unusable be tried soon. What it points to is good until the
 * loop goes on. */
bool redis_client_part(struct redis_client *client, size_t i, struct redis_part *ret);
/* Nothing waits to be acknowledged or published, or there is no connection to do it over. */
bool redis_client_quiet(const struct redis_client *client);
void redis_client_metrics(struct redis_client *client, struct buf *out);
/* Why it isn't connected; "" while it is, or not yet known. */
const char *redis_client_why(const struct redis_client *client);
/* For people; without password. */
const char *redis_client_target(const struct redis_client *client);

#endif
