/* SPDX-License-Identifier: MIT */
/* Binding the socket that HTTP is served on, and giving it to its group. */
#include "common/http_socket.h"

#include "base/mem.h"
#include "common/socket_share.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

/* Removes a dead program's socket; false with errno where something else is there, or somebody
 * answers. */
static bool clear_path(int fd, const struct sockaddr_un *address)
{
	struct stat st;
	if (lstat(address->sun_path, &st))
		return errno == ENOENT;
	bool taken = !S_ISSOCK(st.st_mode) ||
	             !connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
	             errno == EAGAIN;
	if (taken)
		errno = EADDRINUSE;
	return !taken && !unlink(address->sun_path);
}

static bool bind_unix(struct http_socket *ret, const char *section, const char *path,
                      struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket_private();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || !clear_path(fd, &address) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		error_set(err, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
		          "%s listen = unix:%s: %s", section, path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	ret->path = mem_strdup(path);
	ret->fd = fd;
	return true;
}

static int bind_address(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, at->ai_addr, at->ai_addrlen))
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static bool bind_tcp(struct http_socket *ret, const char *section, const struct endpoint *endpoint,
                     struct error *err)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE},
	                *found = NULL;
	char port[8];
	snprintf(port, sizeof(port), "%d", endpoint->port);
	int rc = getaddrinfo(endpoint->host, port, &wanted, &found);
	if (rc)
		return error_set(err, rc == EAI_AGAIN ? EX_UNAVAILABLE : EX_CONFIG,
		                 "%s listen: %s: %s", section, endpoint->host, gai_strerror(rc));
	int fd = -1;
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = bind_address(at);
	freeaddrinfo(found);
	if (fd < 0)
		return error_set(err, errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
		                 "%s listen = %s:%s: %s", section, endpoint->host, port,
		                 strerror(errno));
	ret->fd = fd;
	return true;
}

/* As configured, with the port that the kernel chose where that was left to it. */
static void name_address(struct http_socket *ret, const struct endpoint *endpoint)
{
	union {
		struct sockaddr_storage any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {0};
	socklen_t len = sizeof(at);
	size_t size = sizeof(ret->address);
	if (*endpoint->path || getsockname(ret->fd, (struct sockaddr *)&at, &len)) {
		snprintf(ret->address, size, "unix:%s", endpoint->path);
		return;
	}
	int port = ntohs(at.any.ss_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
	snprintf(ret->address, size, endpoint->v6 ? "[%s]:%d" : "%s:%d", endpoint->host, port);
}

bool http_socket_open(struct http_socket *ret, const char *section, const char *listen,
                      const char *group, struct error *err)
{
	struct endpoint endpoint;
	*ret = (struct http_socket){.fd = -1};
	if (!endpoint_parse_own(listen, &endpoint, err))
		return false;
	bool good = *endpoint.path ? bind_unix(ret, section, endpoint.path, err) &&
	                                     socket_share(section, endpoint.path, group, err)
	                           : bind_tcp(ret, section, &endpoint, err);
	if (good)
		name_address(ret, &endpoint);
	else
		http_socket_close(ret);
	return good;
}

void http_socket_close(struct http_socket *socket)
{
	if (socket->fd >= 0)
		close(socket->fd);
	if (socket->path)
		unlink(socket->path);
	free(socket->path);
	*socket = (struct http_socket){.fd = -1};
}
