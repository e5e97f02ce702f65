/* SPDX-License-Identifier: MIT */
#ifndef COMMON_HTTP_SOCKET_H
#define COMMON_HTTP_SOCKET_H

#include "base/endpoint.h"
#include "base/error.h"

#include <stdbool.h>

/* A socket of our own for HTTP, bound as a key `listen` says: TCP, or a Unix socket that a group
 * may use (mode 0660). */
struct http_socket {
	int fd;     /* bound, not listening yet; -1: given away */
	char *path; /* of a Unix socket, removed in the end; NULL for TCP */
	char address[ENDPOINT_HOST_MAX + 16]; /* with the port that the kernel chose */
};

/* `section` begins faults: "[http]". `group` is the Unix socket's ("": our own). Codes 69, 77, 78.
 */
bool http_socket_open(struct http_socket *ret, const char *section, const char *listen,
                      const char *group, struct error *err) MUST_CHECK;
void http_socket_close(struct http_socket *socket);

#endif
