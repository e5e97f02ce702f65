/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_RACE_H
#define DISPATCHD_MAILER_RACE_H

#include "dispatchd/mailer/watch.h"

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The addresses of one host, tried side by side (RFC 8305, "Happy Eyeballs"), so that a host whose
 * IPv6 leads nowhere, or whose first address is down, costs a fraction of a second and not a
 * time-out:
 *
 *      IPv6  ├──────────────── no answer ─────╳ closed
 *      IPv4       ├── connected ▶             │
 *            0    250 ms                      the race is won
 *
 * The families alternate, each in the resolver's order. The next attempt begins when the one before
 * has had its time, or none is under way; all go on until one is connected, or their time is over.
 */
enum { RACE_MAX = 16 }; /* addresses; more are left out */

enum race_state { RACE_WAITS, RACE_UNDER_WAY, RACE_OVER };

struct race {
	struct race_try {
		const struct addrinfo *address;
		enum race_state state;
		int fd;    /* while it is under way; -1 else */
		int error; /* an errno, where it is over and failed; 0 where it was won */
	} tries[RACE_MAX];
	size_t n;
};

/* `found` is the caller's and stays as long as the race is used. The first address is one of
 * `family`, where there is one, else the resolver's first. */
void race_set(struct race *race, const struct addrinfo *found, int family);

/* Whether there is an address that no connection was made to and that has not failed. */
bool race_is_open(const struct race *race);

/*
 * Connects to one of these addresses and stores which: a non-blocking descriptor, the caller's,
 * with close-on-exec. Else a negative errno, that of the last one that failed; the `error` of each
 * says why. Attempts that lose are closed, and
 * may be made again by the next call, for a host whose server turned out to be no good. Each has
 * `each_ms` before the next one begins, all have `timeout_ms`; they end when the watch is cut.
 * Called by a coroutine, which waits.
 */
int race_run(struct race *race, struct watch *watch, int64_t each_ms, int64_t timeout_ms,
             const struct race_try **ret);

#endif
