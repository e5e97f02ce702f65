/* SPDX-License-Identifier: MIT */
#ifndef COMMON_LINE_CLIENT_H
#define COMMON_LINE_CLIENT_H

#include "base/buf.h"
#include "base/error.h"
#include "common/socket_path.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A client of one of the daemon's sockets: one JSON object a line there, one back. It waits with an
 * end: a daemon that hangs must not hang whoever asks, too. Codes: 69 where the connection is lost,
 * 75 where no answer comes in time, 70 for one that is too long.
 */

/* A connection on which nothing waits for longer than that; -1 with errno. */
int line_client_connect(const struct socket_path *place, int patience_s);
/* The object as a line; or bytes as they are. */
bool line_client_send(int fd, const json_t *object, struct error *err) MUST_CHECK;
bool line_client_send_bytes(int fd, const char *bytes, size_t len, struct error *err) MUST_CHECK;
/* The line that answers, of at most about `max` bytes: the daemon says nothing before it is asked
 * again, so nothing is behind it. It is the caller's; NULL with `err`, 65 where it isn't JSON. */
json_t *line_client_receive(int fd, size_t max, struct error *err) MUST_CHECK;

#endif
