/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_MONO_COND_H
#define DISPATCHD_SYS_MONO_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A condition variable whose waits end by clock_mono_ms(), so that setting the wall clock neither
 * shortens nor prolongs them. It is signaled and destroyed as any other. */
void mono_cond_init(pthread_cond_t *ret);
/* Until then at most; CLOCK_NEVER_MS: without end. False when the time is over; true otherwise, for
 * no reason at times. */
bool mono_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

#endif
