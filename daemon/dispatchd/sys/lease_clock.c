/* SPDX-License-Identifier: MIT */
#include "dispatchd/sys/lease_clock.h"

#include "common/clock_ms.h"

#include <stdatomic.h>

static _Atomic int64_t until = CLOCK_NEVER_MS;

int64_t lease_clock_now(void)
{
	return clock_read_ms(CLOCK_BOOTTIME);
}

void lease_clock_set(int64_t until_ms)
{
	atomic_store(&until, until_ms);
}

int64_t lease_clock_until(void)
{
	return atomic_load(&until);
}

bool lease_clock_allows(void)
{
	int64_t end_ms = atomic_load_explicit(&until, memory_order_relaxed);
	return end_ms == CLOCK_NEVER_MS || end_ms - lease_clock_now() >= LEASE_SPARE_MS;
}
