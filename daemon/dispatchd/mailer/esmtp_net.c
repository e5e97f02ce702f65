/* SPDX-License-Identifier: MIT */
/*
 * The calls that libesmtp makes of the C library, as it should have made them. The program defines
 * connect(), poll(), read(), write(), getaddrinfo() and freeaddrinfo() itself; the dynamic linker
 * gives these to libesmtp, and to OpenSSL, too. Where one would wait, the coroutine does, and
 * others of its thread go on. Outside of a session (net_enter()) they pass straight on.
 *
 * Known limit: this relies on libesmtp calling through the dynamic symbol table, which a static
 * build of it would not.
 */
#undef _FORTIFY_SOURCE /* its poll() and read() are inline, and can't be defined once more */
#include "dispatchd/mailer/esmtp_private.h"

#include "base/mem.h"
#include "dispatchd/mailer/clock.h"
#include "dispatchd/mailer/coroutine.h"
#include "dispatchd/mailer/helo.h"
#include "dispatchd/mailer/libc.h"
#include "dispatchd/mailer/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

/* How long we wait at a time for a connection, so that a pool that ends is noticed. */
enum { SLICE_MS = 500 };
/* Bytes sent and not acknowledged for this long: the peer is gone. */
enum { UNACKNOWLEDGED_MS = 60 * 1000 };

void net_enter(struct net *net)
{
	coroutine_keep(net);
}

bool net_entered(void)
{
	return coroutine_kept() != NULL;
}

static void net_fault(struct net *net, const char *what, const char *why)
{
	snprintf(net->fault, sizeof net->fault, "%s: %s", what, why);
}

/* ---- connect() ---- */

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_UNIX)
		return true;
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)
		                     ->sin_addr.s_addr) >>
		               24 ==
		       127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(
	               &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static void set_options(int fd, int family)
{
	int on = 1, user_ms = UNACKNOWLEDGED_MS, idle_s = 60, each_s = 20;

	if (family == AF_UNIX)
		return;
	/* Two writes a mail beyond 2 KB: with Nagle's algorithm the second waits for an
	 * acknowledgement that the peer delays, 23 mails a second. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof user_ms);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &each_s, sizeof each_s);
}

static void choose_name(struct net *net, int fd)
{
	struct sockaddr_storage own = {0};
	socklen_t len = sizeof own;
	struct utsname host;
	bool known = getsockname(fd, (struct sockaddr *)&own, &len) == 0;

	if (uname(&host) < 0)
		host.nodename[0] = '\0';
	helo_choose(net->target->helo, host.nodename, known ? (struct sockaddr *)&own : NULL,
	            net->greet_as);
}

/* Waits for a connect() under way; 0 or an errno. */
static int await(struct net *net, int fd)
{
	int64_t end_ms = clock_mono_ms() + net->limits->connect_ms;

	for (;;) {
		int64_t now_ms = clock_mono_ms();
		int error = 0;
		socklen_t len = sizeof error;
		if (now_ms >= end_ms)
			return ETIMEDOUT;
		if (watch_is_cut(net->watch))
			return ECANCELED;
		if (tls_wait(net, POLLOUT,
		             end_ms - now_ms < SLICE_MS ? end_ms : now_ms + SLICE_MS) == 0)
			continue;
		return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
	}
}

static int connect_within(struct net *net, int fd, const struct sockaddr *address, socklen_t len)
{
	int error = 0;

	secure_end(net); /* of the address before */
	net->tls_fault[0] = '\0';
	net->connected = false;
	net->fd = fd;
	net->full = false;
	net->in_body = false;
	net->n_held = 0;
	if (!watch_follow(net->watch, fd))
		return ECANCELED;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	set_options(fd, address->sa_family);
	if (libc_connect(fd, address, len) < 0)
		error = errno == EINPROGRESS || errno == EINTR ? await(net, fd) : errno;
	if (error)
		return error;
	net->connected = true;
	net->loopback = is_loopback(address);
	net->fault[0] = '\0';
	choose_name(net, fd);
	watch_arm(net->watch, net->limits->greeting_ms);
	return 0;
}

/* "192.0.2.1", without its port. */
static void address_text(const struct sockaddr *address, char ret[INET6_ADDRSTRLEN])
{
	const void *from = &((const struct sockaddr_in *)(const void *)address)->sin_addr;

	ret[0] = '\0';
	if (address->sa_family == AF_INET6)
		from = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	if (address->sa_family != AF_UNIX)
		inet_ntop(address->sa_family, from, ret, INET6_ADDRSTRLEN);
}

static void note_connected(struct net *net, const struct sockaddr *address, int error)
{
	char text[INET6_ADDRSTRLEN + 100], where[INET6_ADDRSTRLEN];

	if (!net->steps)
		return;
	address_text(address, where);
	snprintf(text, sizeof text, "%s%s%s", where, where[0] && error ? ": " : "",
	         error      ? strerror(error)
	         : where[0] ? ""
	                    : "connected");
	steps_end(net->steps, error != 0, text);
}

__attribute__((visibility("default"))) int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	struct net *here = coroutine_kept();
	const struct sockaddr *address = to.__sockaddr__;
	int error;

	if (!here)
		return libc_connect(fd, address, len);
	steps_begin(here->steps, "connect");
	error = connect_within(here, fd, address, len);
	note_connected(here, address, error);
	if (!error)
		return 0;
	net_fault(here, here->target->name, strerror(error));
	errno = error;
	return -1;
}

/* ---- poll(), read() and write() ---- */

/*
 * libesmtp asks poll() before each read and write, on a socket that it made non-blocking: half of
 * its calls only ask whether another one would wait. So poll() says at once that a write may go,
 * unless the last one didn't; and where a reply is awaited, the coroutine waits, and one
 * epoll_wait() serves all that do.
 *
 *      libesmtp      poll(out) write  poll(in) read   poll(0)  poll(out) write   poll(in) read
 *      the kernel              write           read                      write            read
 */
static ssize_t net_send(struct net *net, const char *bytes, size_t len)
{
	ssize_t n;

	do
		n = net->ssl ? secure_write(net->ssl, bytes, len) : libc_write(net->fd, bytes, len);
	while (n < 0 && errno == EINTR);
	net->full = n < 0 && errno == EAGAIN;
	return n;
}

/* What the socket takes of it; whether that was all. After a fault there is no more to send. */
static bool send_held(struct net *net)
{
	size_t sent = 0;
	ssize_t n = 0;

	while (sent < net->n_held && n >= 0) {
		n = net_send(net, net->held + sent, net->n_held - sent);
		sent += n > 0 ? (size_t)n : 0;
	}
	net->n_held -= sent;
	memmove(net->held, net->held + sent, net->n_held);
	if (n < 0 && !net->full)
		net->n_held = 0;
	return n >= 0;
}

/* A part of a mail is held until there is more of it than fits, or the library waits for an answer:
 * a mail is one packet where it can be, however many buffers of 2 KB the library fills. */
static ssize_t hold(struct net *net, const char *bytes, size_t len)
{
	if (len > sizeof net->held - net->n_held && !send_held(net))
		return -1;
	if (len > sizeof net->held)
		return net_send(net, bytes, len);
	memcpy(net->held + net->n_held, bytes, len);
	net->n_held += len;
	return net->in_body || send_held(net) || net->full ? (ssize_t)len : -1;
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes, size_t len)
{
	struct net *here = coroutine_kept();

	if (!here || fd != here->fd)
		return libc_write(fd, bytes, len);
	if (here->in_body || here->n_held > 0)
		return hold(here, bytes, len);
	return net_send(here, bytes, len);
}

/* Under STARTTLS libesmtp's own SSL reads through this, too. */
__attribute__((visibility("default"))) ssize_t read(int fd, void *ret, size_t size)
{
	struct net *here = coroutine_kept();

	if (!here || fd != here->fd || !here->ssl)
		return libc_read(fd, ret, size);
	return secure_read(here->ssl, ret, size);
}

/* libesmtp asks for reading and for writing in an entry each. */
static short own_events(const struct net *net, const struct pollfd *fds, nfds_t n)
{
	short events = 0;

	for (nfds_t i = 0; i < n; i++) {
		if (fds[i].fd != net->fd)
			return 0;
		events |= fds[i].events;
	}
	return events;
}

/* libesmtp takes no notice of an error in a mail, and reads what the relay has to say to it. */
static void flush(struct net *net)
{
	net->in_body = false;
	while (!send_held(net) && net->full)
		(void)tls_wait(net, POLLOUT, CLOCK_NEVER_MS);
}

/*
 * A socket that can be read and written is reported as one that can be written: libesmtp else reads
 * first, and with TLS 1.3, where the server's session tickets come unasked, it would wait in that
 * read for the answer to a command that it has not sent yet.
 */
static short poll_session(struct net *net, short events, int timeout_ms)
{
	short ready;

	flush(net);
	/* Between commands that are sent together: there is nothing to answer yet. */
	if (timeout_ms == 0)
		return 0;
	if ((events & POLLOUT) && !net->full)
		return POLLOUT;
	if ((events & POLLIN) && secure_pending(net))
		return POLLIN;
	ready = tls_wait(net, events,
	                 timeout_ms < 0 ? CLOCK_NEVER_MS : clock_mono_ms() + timeout_ms);
	net->full = false;
	return ready & POLLOUT ? POLLOUT : ready;
}

__attribute__((visibility("default"))) int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct net *here = coroutine_kept();
	short events = here ? own_events(here, fds, n) : 0, ready;

	if (events == 0)
		return libc_poll(fds, n, timeout_ms);
	ready = poll_session(here, events, timeout_ms);
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = fds[i].events & ready;
	errno = 0;
	return ready != 0;
}

/* ---- getaddrinfo() ---- */

/* One block, as freeaddrinfo() below gives it back. */
static struct addrinfo *unix_address(const char *path)
{
	struct block {
		struct addrinfo info;
		struct sockaddr_un address;
	} *block = mem_alloc(sizeof *block);

	block->address.sun_family = AF_UNIX;
	strncpy(block->address.sun_path, path, sizeof block->address.sun_path - 1);
	block->info.ai_family = AF_UNIX;
	block->info.ai_socktype = SOCK_STREAM;
	block->info.ai_addrlen = sizeof block->address;
	block->info.ai_addr = (struct sockaddr *)&block->address;
	return &block->info;
}

static void note_resolved(struct net *net, int state, const struct addrinfo *found)
{
	char one[INET6_ADDRSTRLEN], text[DELIVERY_REPLY_MAX] = "";
	size_t used = 0;

	if (!net->steps)
		return;
	for (; state == 0 && found && used < sizeof text; found = found->ai_next) {
		address_text(found->ai_addr, one);
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
		                         one);
	}
	steps_end(net->steps, state != 0, state != 0 ? gai_strerror(state) : text);
}

static int lookup_host(struct net *net, struct addrinfo **ret)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                         .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
	int state;

	state = libc_getaddrinfo(net->target->host, net->target->port, &hints, ret);
	if (state == 0)
		return 0;
	state = lookup_name(net->target->host, net->target->port, net->limits->connect_ms,
	                    net->watch, ret);
	if (state != 0)
		net_fault(net, net->target->host, gai_strerror(state));
	return state;
}

static int lookup_target(struct net *net, struct addrinfo **ret)
{
	int state;

	if (net->target->local) {
		*ret = net->own = unix_address(net->target->host);
		return 0;
	}
	steps_begin(net->steps, "resolve");
	state = lookup_host(net, ret);
	note_resolved(net, state, state == 0 ? *ret : NULL);
	return state;
}

/*
 * libesmtp gets the address of our relay whatever it asks for: it could not spell an IPv6 address
 * or a socket's path. No canonical name, which would be DNS's to choose, is ever given.
 */
__attribute__((visibility("default"))) int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret)
{
	struct net *here = coroutine_kept();

	return here ? lookup_target(here, ret) : libc_getaddrinfo(host, port, hints, ret);
}

__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *list)
{
	struct net *here = coroutine_kept();

	if (here && list == here->own) {
		free(list);
		here->own = NULL;
		return;
	}
	libc_freeaddrinfo(list);
}
