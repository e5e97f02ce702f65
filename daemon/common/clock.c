/* SPDX-License-Identifier: MIT */
/* The clocks, and a watch over the one that can be set (timerfd_create(2),
 * TFD_TIMER_CANCEL_ON_SET). */
#include "common/clock.h"

#include "base/mem.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct clock_watch {
	int fd;
	struct event *readable;
	clock_jumped *jumped;
	void *arg;
};

static int64_t read_usec(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct instant clock_now(void)
{
	return (struct instant){read_usec(CLOCK_REALTIME) / 1000};
}

struct tick clock_tick(void)
{
	return (struct tick){read_usec(CLOCK_MONOTONIC) / 1000};
}

int64_t clock_usec(void)
{
	return read_usec(CLOCK_MONOTONIC);
}

/* A timer that never rings, by a clock that cancels it when it is set. */
static bool watch_arm(struct clock_watch *watch)
{
	struct itimerspec never = {.it_value.tv_sec = clock_now().ms / 1000 + 100L * 365 * 86400};
	return !timerfd_settime(watch->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
	                        NULL);
}

static void clock_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct clock_watch *watch = arg;
	uint64_t rings;
	(void)what;
	bool jumped = read(fd, &rings, sizeof(rings)) < 0 && errno == ECANCELED;
	if (!watch_arm(watch))
		event_del(watch->readable);
	if (jumped)
		watch->jumped(watch->arg);
}

struct clock_watch *clock_watch_new(struct event_base *base, clock_jumped *jumped, void *arg)
{
	struct clock_watch *watch = mem_alloc(sizeof(*watch));
	*watch = (struct clock_watch){.jumped = jumped, .arg = arg};
	watch->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watch->fd < 0 || !watch_arm(watch))
		return clock_watch_free(watch);
	watch->readable =
	        event_new(base, watch->fd, EV_READ | EV_PERSIST, clock_on_readable, watch);
	event_add(watch->readable, NULL);
	return watch;
}

struct clock_watch *clock_watch_free(struct clock_watch *watch)
{
	if (!watch)
		return NULL;
	if (watch->readable)
		event_free(watch->readable);
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
	return NULL;
}
