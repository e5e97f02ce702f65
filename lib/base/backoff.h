/* SPDX-License-Identifier: MIT */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdint.h>

/*
 * How long to wait before the next try: doubling from `min_ms` to `max_ms`, each wait spread by a
 * fifth either way, so that things which failed together don't come back together. Never longer
 * than `max_ms`, and never shorter than four fifths of `min_ms`.
 */
struct backoff {
	int64_t min_ms, max_ms; /* 0 < min_ms ≤ max_ms */
};

/* The wait after the `failures`th failure in a row (1 is the first); `random` is any 32 random
 * bits. */
int64_t backoff_ms(struct backoff backoff, unsigned failures, uint32_t random);

#endif
