/* SPDX-License-Identifier: MIT */
#ifndef COMMON_SOCKET_PATH_H
#define COMMON_SOCKET_PATH_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Beside spool.db: where dispatchctl asks the daemon. */
#define CONTROL_SOCKET "control.sock"
/* The same place: where dispatch-bounce hands over what it has read. */
#define REPORT_SOCKET "report.sock"

/*
 * The place of a socket beside a file. The kernel takes paths of 107 bytes for sockets; where this
 * one is longer, it is named by way of its directory's descriptor, which stays open until
 * socket_path_clear().
 */
struct socket_path {
	char *path; /* for messages, and for calls that take any length */
	struct sockaddr_un address;
	int directory; /* -1: none was needed, or there is none */
};

/* A missing directory is not a fault: nobody listens there, and bind() reports it. */
bool socket_path_set(struct socket_path *ret, const char *file, const char *name,
                     struct error *err) MUST_CHECK;
void socket_path_clear(struct socket_path *place);

#endif
