/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_WATCH_H
#define DISPATCHD_MAILER_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A bound on what libesmtp does on one connection. The library's own timeouts bound each poll(), so
 * that a peer that trickles holds it for hours; and it keeps its descriptor to itself. So a
 * duplicate of it is kept here, and another thread shuts the connection down through it when the
 * time is over; the library then sees the end of the stream and returns.
 *
 * The mailer arms and disarms (cheap: an atomic), the supervisor looks.
 */
struct watch {
	pthread_mutex_t lock; /* the descriptor may not be closed while it is shut down */
	int fd;               /* a duplicate; -1: no connection */
	const char *cut;      /* nothing may be opened anymore, and why: static; NULL: it may */
	_Atomic int64_t deadline_ms;
	/* For the relay's answer; CLOCK_NEVER_MS: nothing is due from it. */
	_Atomic int64_t waits_since_ms;
	atomic_bool expired; /* the connection was shut down by its deadline */
};

void watch_init(struct watch *watch);
void watch_destroy(struct watch *watch);

/* Follows the connection `fd` from now on instead of the last one. False where none may be opened
 * anymore or no descriptor is left. */
bool watch_follow(struct watch *watch, int fd);
void watch_leave(struct watch *watch); /* the connection is over; disarms */

void watch_begin(struct watch *watch);           /* a connection is about to be opened */
void watch_arm(struct watch *watch, int64_t ms); /* from now, instead of what was armed */
void watch_disarm(struct watch *watch);

/* Whether the relay has kept us waiting for `ms`, or longer; since when. */
bool watch_waits(struct watch *watch, int64_t now_ms, int64_t ms, int64_t *ret_since_ms);

/* Why it was cut; NULL where it wasn't. */
const char *watch_is_cut(struct watch *watch);

/* Whether something waits to be read, or the end: for a connection that has been idle. */
bool watch_readable(struct watch *watch);

void watch_shutdown(struct watch *watch); /* shuts the connection down, if there is one */
void watch_cut(struct watch *watch,
               const char *why); /* this one and all later ones; `why` is static */
/* Shuts down what is over its time; returns the deadline. */
int64_t watch_check(struct watch *watch, int64_t now_ms);

#endif
