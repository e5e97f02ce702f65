/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_HUB_H
#define DISPATCHD_REDIS_HUB_H

#include "base/buf.h"
#include "base/error.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/redis/health.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * All of the daemon's dealings with Redis, as the loop sees them: connections for reading streams,
 * for commands, and where configured for the list and the channel; the sources on them; the
 * publisher.
 */
struct event_base;
struct hub;

/* `wake` asks for a turn of the loop. Connects as soon as the loop runs. `settings` are copied. */
struct hub *hub_new(struct event_base *base, const struct settings *settings, struct engine_thread *engine,
                    void (*wake)(void *arg), void *arg, struct error *err) MUST_CHECK;
struct hub *hub_free(struct hub *hub); /* takes NULL; returns NULL */

void hub_reload(struct hub *hub, const struct settings *settings); /* what of it may change while it runs */
void hub_done(struct hub *hub, struct intake *list);               /* committed: acknowledges them */
void hub_publish(struct hub *hub, struct publications *list);      /* takes them over */
void hub_turn(struct hub *hub);                                    /* all that is due */
void hub_close(struct hub *hub);           /* reads no more; not from within its callbacks */
bool hub_connected(const struct hub *hub); /* all connections are there, and to a server that can be used */

/* One thing that is configured and how it is. */
struct hub_part {
	const char *kind, *name, *use; /* as in struct health */
	const char *words;             /* why it can't be used; NULL where it can */
	uint64_t lost;                 /* entries that were removed before they were read */
	int64_t since_ms;              /* how long it can't; 0 where that isn't known */
};
/* The parts by number from 0: every feed and every stream that is written. False beyond the last. Whoever
 * asks makes what may have become unusable be tried soon. What it points to is good until the loop goes on.
 */
bool hub_part(struct hub *hub, size_t i, struct hub_part *ret);
/* Nothing waits to be acknowledged or published, or there is no connection to do it over. */
bool hub_quiet(const struct hub *hub);
void hub_metrics(struct hub *hub, struct buf *out);
const char *hub_why(const struct hub *hub);    /* why it isn't connected; "" while it is, or not yet known */
const char *hub_target(const struct hub *hub); /* for people; without password */

#endif
