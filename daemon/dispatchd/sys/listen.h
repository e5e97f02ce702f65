/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_LISTEN_H
#define DISPATCHD_SYS_LISTEN_H

#include <stdbool.h>

struct evconnlistener;

/*
 * Lets a listener that can't accept (no file descriptor is free) pause for a second. The connection
 * that waits keeps its socket readable, so that without a pause the loop would spin on it and do
 * little else. One descriptor is kept in reserve, so that about one client a second is still
 * served. To be called before the loop runs; the listener must stay as long as it does.
 */
void listen_with_backoff(struct evconnlistener *listener);

/* Whether this process can open files at all, the reserve left aside. From the loop's thread. */
bool listen_has_descriptor(void);

#endif
