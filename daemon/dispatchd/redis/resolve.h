/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_RESOLVE_H
#define DISPATCHD_REDIS_RESOLVE_H

/*
 * Host names without waiting: hiredis would call getaddrinfo(3) in the loop, which may block for
 * half a minute, so a short-lived thread does it. `done` comes from the loop, never from within
 * resolve_start(); `address` is numeric, or NULL with a reason in `why`. Each resolution ends by
 * `done` or by resolve_abandon().
 */
struct event_base;
struct resolution;
typedef void resolve_done(void *arg, const char *address, const char *why);

struct resolution *resolve_start(struct event_base *base, const char *host, resolve_done *done,
                                 void *arg);
struct resolution *resolve_abandon(struct resolution *resolution); /* takes NULL; returns NULL */

#endif
