/* SPDX-License-Identifier: MIT */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include "base/instant.h"

/* The one place that reads the clocks. */
struct instant clock_now(void); /* CLOCK_REALTIME */
struct tick clock_tick(void);   /* CLOCK_MONOTONIC */
int64_t clock_usec(void); /* CLOCK_MONOTONIC in microseconds, for sd_notify's MONOTONIC_USEC */

/*
 * Calls `jumped` from the loop each time somebody sets the wall clock. What is due by wall time has
 * to be rechecked then; waits, which go by the monotonic clock, are not touched by it. NULL where
 * the kernel doesn't report it.
 */
struct event_base;
struct clock_watch;
typedef void clock_jumped(void *arg);
struct clock_watch *clock_watch_new(struct event_base *base, clock_jumped *jumped, void *arg);
struct clock_watch *clock_watch_free(struct clock_watch *watch); /* takes NULL; returns NULL */

#endif
