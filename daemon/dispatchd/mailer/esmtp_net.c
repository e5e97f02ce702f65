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
#include "common/clock_ms.h"
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

/* "192.0.2.1: Connection refused", or one of the two. */
static void try_text(const struct race_try *one, char *ret, size_t size)
{
	char where[INET6_ADDRSTRLEN];

	address_text(one->address->ai_addr, where);
	snprintf(ret, size, "%s%s%s", where, where[0] && one->error ? ": " : "",
	         one->error ? strerror(one->error)
	         : where[0] ? ""
	                    : "connected");
}

static void note_try(struct net *net, const struct race_try *one)
{
	char text[INET6_ADDRSTRLEN + 100];

	if (!net->steps)
		return;
	try_text(one, text, sizeof text);
	steps_begin(net->steps, "connect");
	steps_end(net->steps, one->error != 0, text);
}

/* Of those that have failed; each is noted once, and once is enough where all say the same. */
static void note_failed(struct net *net, const struct race *before)
{
	const struct race *race = &net->race;
	char text[INET6_ADDRSTRLEN + 100];
	bool alike = true;
	size_t used = 0;

	for (size_t i = 0; i < race->n; i++) {
		alike = alike && race->tries[i].error == race->tries[0].error;
		if (race->tries[i].error && before->tries[i].state != RACE_OVER)
			note_try(net, &race->tries[i]);
	}
	if (alike) {
		net_fault(net, net->target->name, strerror(race->tries[0].error));
		return;
	}
	net->fault[0] = '\0';
	for (size_t i = 0; i < race->n && used < sizeof net->fault; i++) {
		try_text(&race->tries[i], text, sizeof text);
		used += (size_t)snprintf(net->fault + used, sizeof net->fault - used, "%s%s%s",
		                         used ? "; " : "", text,
		                         race->tries[i].error ? "" : ": was connected before");
	}
}

/* ---- IPv6 and IPv4 ---- */

static int family_to_try(const struct net *net)
{
	const struct esmtp_habits *habits = net->target->habits;

	return clock_mono_ms() < atomic_load(&habits->family_until_ms)
	               ? atomic_load(&habits->family)
	               : AF_UNSPEC;
}

/* The time isn't drawn out by connections that the habit itself has led there: the resolver's
 * choice is tried again in the end. */
static void learn_family(struct net *net, int family)
{
	struct esmtp_habits *habits = net->target->habits;
	int64_t now_ms = clock_mono_ms();

	if (family == net->found->ai_family) {
		atomic_store(&habits->family_until_ms, 0);
	} else if (now_ms >= atomic_load(&habits->family_until_ms)) {
		atomic_store(&habits->family, family);
		atomic_store(&habits->family_until_ms, now_ms + net->limits->family_ms);
	}
}

/* ---- connected ---- */

static void net_reset(struct net *net, int fd)
{
	secure_end(net); /* of the address before */
	net->tls_fault[0] = '\0';
	net->connected = false;
	net->fd = fd;
	net->full = false;
	net->in_body = false;
	net->n_held = 0;
}

/* The connection `from` becomes libesmtp's `fd`. 0 or an errno. */
static int take_over(struct net *net, int fd, int from, const struct addrinfo *address)
{
	int error = dup3(from, fd, O_CLOEXEC) < 0 ? errno : 0;

	close(from);
	if (error || !watch_follow(net->watch, fd))
		return error ? error : ECANCELED;
	set_options(fd, address->ai_family);
	net->connected = true;
	net->loopback = is_loopback(address->ai_addr);
	net->fault[0] = '\0';
	choose_name(net, fd);
	learn_family(net, address->ai_family);
	watch_arm(net->watch, net->limits->greeting_ms);
	return 0;
}

/* To whichever address answers first. libesmtp has them all and goes through them: once more, if
 * the server at one of them doesn't greet well, and in vain, if there is none left. */
static int connect_raced(struct net *net, int fd)
{
	const struct race before = net->race;
	const struct race_try *won;
	int from, error;

	net_reset(net, fd);
	if (!race_is_open(&net->race))
		return ECONNREFUSED;
	from = race_run(&net->race, net->watch, net->limits->race_ms, net->limits->connect_ms,
	                &won);
	note_failed(net, &before);
	if (from < 0)
		return -from;
	error = take_over(net, fd, from, won->address);
	if (error)
		net_fault(net, net->target->name, strerror(error));
	else
		note_try(net, won);
	return error;
}

__attribute__((visibility("default"))) int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
	struct net *here = coroutine_kept();
	int error;

	if (!here)
		return libc_connect(fd, to.__sockaddr__, len);
	error = connect_raced(here, fd);
	if (error)
		here->fd = -1; /* the library closes it */
	errno = error;
	return error ? -1 : 0;
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

static void found(struct net *net, const struct addrinfo *list)
{
	net->found = list;
	race_set(&net->race, list, family_to_try(net));
}

static int lookup_target(struct net *net, struct addrinfo **ret)
{
	int state;

	if (net->target->local) {
		*ret = net->own = unix_address(net->target->host);
		found(net, *ret);
		return 0;
	}
	steps_begin(net->steps, "resolve");
	state = lookup_host(net, ret);
	note_resolved(net, state, state == 0 ? *ret : NULL);
	if (state == 0)
		found(net, *ret);
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
