/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

struct evconnlistener;

/*
 * Lets a listener that can't accept (no file descriptor is free) rest for a second. The connection that waits
 * keeps its socket readable, so that without a rest the loop would turn round it and do little else. To be
 * called before the loop runs; the listener must stay as long as it does.
 */
void listen_with_rests(struct evconnlistener *listener);

#endif
