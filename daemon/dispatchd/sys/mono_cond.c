/* SPDX-License-Identifier: MIT */
#include "dispatchd/sys/mono_cond.h"

#include "common/clock_ms.h"

void mono_cond_init(pthread_cond_t *ret)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(ret, &attr);
	pthread_condattr_destroy(&attr);
}

bool mono_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms)
{
	const struct timespec until = {.tv_sec = until_ms / 1000,
	                               .tv_nsec = until_ms % 1000 * 1000000};
	if (until_ms == CLOCK_NEVER_MS)
		return pthread_cond_wait(cond, lock) == 0;
	return pthread_cond_timedwait(cond, lock, &until) == 0;
}
