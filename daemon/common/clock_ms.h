/* SPDX-License-Identifier: MIT */
#ifndef COMMON_CLOCK_MS_H
#define COMMON_CLOCK_MS_H

#include "base/instant.h"

#include <stdint.h>
#include <time.h>

/* In milliseconds, for threads and programs without a loop, which has common/clock.h. */
static inline int64_t clock_read_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* For waits. */
static inline int64_t clock_mono_ms(void)
{
	return clock_read_ms(CLOCK_MONOTONIC);
}

/* For what people read. */
static inline struct instant clock_wall(void)
{
	return (struct instant){clock_read_ms(CLOCK_REALTIME)};
}

#define CLOCK_NEVER_MS INT64_MAX

#endif
