/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_HELO_H
#define DISPATCHD_MAILER_HELO_H

#include <stddef.h>
#include <sys/socket.h>

enum { HELO_SIZE = 256 };

/*
 * What EHLO names (RFC 5321, section 4.1.1.1: a full name or an address literal; some relays
 * refuse everything after less). `helo` is the configured name, which wins; "" for none. Else it is
 * `host`, as the kernel has it, where that is a full name; one final dot is left out. Else it is
 * the literal of `own`, our end of the connection, which is always true; [127.0.0.1] over a Unix
 * socket (`own` may be NULL then).
 */
void helo_choose(const char *helo, const char *host, const struct sockaddr *own,
                 char ret[HELO_SIZE]);

#endif
