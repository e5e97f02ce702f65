/* SPDX-License-Identifier: MIT */
/* Linked into what `make tsan` builds: gcc 12's ThreadSanitizer knows pthread_tryjoin_np() but not
 * pthread_clockjoin_np(), after which it takes all that the joined thread did for a race. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

static int passed(clockid_t clock, const struct timespec *until)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return now.tv_sec > until->tv_sec ||
	       (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec);
}

int pthread_clockjoin_np(pthread_t thread, void **ret, clockid_t clock,
                         const struct timespec *until)
{
	const struct timespec step = {.tv_nsec = 1000000};
	for (;;) {
		int error = pthread_tryjoin_np(thread, ret);
		if (error != EBUSY)
			return error;
		if (passed(clock, until))
			return ETIMEDOUT;
		(void)nanosleep(&step, NULL);
	}
}
