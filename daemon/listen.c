/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include "log.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <string.h>

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(arg);
}

static void on_fault(struct evconnlistener *listener, void *arg)
{
	static const struct timeval rest = {.tv_sec = 1};
	struct event_base *base = evconnlistener_get_base(listener);
	(void)arg;
	log_fault(LOG_ERR, "a connection can't be accepted; tried again every second: %s", strerror(errno));
	if (!event_base_once(base, -1, EV_TIMEOUT, on_rested, listener, &rest))
		evconnlistener_disable(listener);
}

void listen_with_rests(struct evconnlistener *listener)
{
	evconnlistener_set_error_cb(listener, on_fault);
}
