/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_LOOKUP_H
#define DISPATCHD_MAILER_LOOKUP_H

#include "dispatchd/mailer/watch.h"

#include <netdb.h>

/*
 * getaddrinfo() for a TCP connection with an end: the resolver's own patience depends on how many
 * name servers don't answer. It is asked on a thread aside, and a coroutine waits. After
 * `timeout_ms`, or when the watch is cut, EAI_AGAIN is returned, and the thread frees what it had
 * once the resolver lets go of it.
 */
int lookup_name(const char *host, const char *port, int64_t timeout_ms, struct watch *watch,
                struct addrinfo **ret);

#endif
