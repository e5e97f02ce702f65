/* SPDX-License-Identifier: MIT */
#include "dispatchd/sys/listen.h"

#include "dispatchd/sys/log.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A descriptor kept back for the client that comes when there is no other: /readyz and the status
 * are then still answered. The process has one; the loop's thread alone uses it. */
static int reserve = -1;

static const struct timeval rest = {.tv_sec = 1};

static bool keep_reserve(void)
{
	if (reserve < 0)
		reserve = eventfd(0, EFD_CLOEXEC);
	return reserve >= 0;
}

static bool give_reserve(void)
{
	if (reserve < 0)
		return false;
	(void)close(reserve);
	reserve = -1;
	return true;
}

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	/* One that is asleep wakes; until then, too, others may have left a descriptor to keep. */
	(void)keep_reserve();
	evconnlistener_enable(arg);
}

static void on_fault(struct evconnlistener *listener, void *arg)
{
	struct event_base *base = evconnlistener_get_base(listener);
	(void)arg;
	int fault = errno;
	log_fault(LOG_ERR, "a connection can't be accepted; tried again every second: %s",
	          strerror(fault));
	bool goes_on = (fault == EMFILE || fault == ENFILE) && give_reserve();
	if (!event_base_once(base, -1, EV_TIMEOUT, on_rested, listener, &rest) && !goes_on)
		evconnlistener_disable(listener);
}

void listen_with_backoff(struct evconnlistener *listener)
{
	(void)keep_reserve();
	evconnlistener_set_error_cb(listener, on_fault);
}

bool listen_has_descriptor(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0 && keep_reserve();
}
