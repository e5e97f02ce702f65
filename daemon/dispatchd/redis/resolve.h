/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_RESOLVE_H
#define DISPATCHD_REDIS_RESOLVE_H

#include "common/target.h"

/*
 * Where a server is, without waiting: hiredis would call getaddrinfo(3) in the loop, which may
 * block for half a minute, and sentinels take their time, so a short-lived thread does it. `done`
 * comes from the loop, never from within resolve_start(); `found` is NULL with a reason in `why`.
 * Each resolution ends by `done` or by resolve_abandon().
 */
struct event_base;
struct resolution;
struct resolved {
	char address[64]; /* numeric */
	int port;
};
typedef void resolve_done(void *arg, const struct resolved *found, const char *why);

/* Of the target's sentinels, else of its host; what it needs of it is copied. */
struct resolution *resolve_start(struct event_base *base, const struct target *target,
                                 resolve_done *done, void *arg);
/* Of the target's sentinels: what more than half of them name. */
struct resolution *resolve_agreed(struct event_base *base, const struct target *target,
                                  resolve_done *done, void *arg);
struct resolution *resolve_abandon(struct resolution *resolution); /* takes NULL; returns NULL */

#endif
