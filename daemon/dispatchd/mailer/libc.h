/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_LIBC_H
#define DISPATCHD_MAILER_LIBC_H

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * The C library's own functions of these names. The program defines them itself for libesmtp's sake
 * (esmtp_net.c, esmtp_plugin.c), so that a plain call anywhere in it arrives there. Code below
 * libesmtp calls the real ones by these names.
 */
int libc_connect(int fd, const struct sockaddr *address, socklen_t len);
int libc_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
ssize_t libc_read(int fd, void *ret, size_t size);
ssize_t libc_write(int fd, const void *bytes, size_t len);
int libc_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                     struct addrinfo **ret);
void libc_freeaddrinfo(struct addrinfo *list);
void *libc_dlopen(const char *path, int flags);

#endif
