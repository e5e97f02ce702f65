/* SPDX-License-Identifier: MIT */
/*
 * One connection: bytes in, replies out, each to whoever waits for it. hiredis' asynchronous half
 * is not used, since its assertions abort the process when a server sends a reply that nobody asked
 * for.
 */
#include "dispatchd/redis/wire.h"

#include "base/buf.h"
#include "base/format.h"
#include "base/mem.h"
#include "base/resp.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 16 << 10, WHY_MAX = 256, UNDER_WAY_MAX = 64 << 20, KEPT_BYTES = 1 << 20 };

/* Bytes of all answers that have begun and not ended, over all connections: a server that answers
 * without end does so on each of them. The loop's thread alone has wires. */
static size_t under_way;

/* Somebody who waits for an answer. */
struct waiter {
	struct waiter *next;
	wire_reply *fn;
	void *arg;
};

struct wire {
	redisContext *context;
	struct tls_stream *tls; /* NULL without TLS */
	struct event *readable, *writable;
	const struct wire_events *events;
	void *arg;
	struct resp resp;
	size_t counted; /* its part of what is under way */
	struct waiter *first, **last;
	struct buf out; /* commands; its memory is kept */
	size_t written; /* bytes of it */
	bool connected, subscribed;
};

/* ---- the end */

static void answer_nobody(struct wire *wire)
{
	while (wire->first) {
		struct waiter *waiter = wire->first;
		wire->first = waiter->next;
		waiter->fn(waiter->arg, NULL);
		free(waiter);
	}
	wire->last = &wire->first;
	if (wire->subscribed)
		wire->events->pushed(wire->arg, NULL);
	wire->subscribed = false;
}

static void count_under_way(struct wire *wire, size_t bytes)
{
	under_way += bytes - wire->counted;
	wire->counted = bytes;
}

static void destroy(struct wire *wire)
{
	count_under_way(wire, 0);
	if (wire->readable)
		event_free(wire->readable);
	if (wire->writable)
		event_free(wire->writable);
	tls_stream_free(wire->tls);
	redisFree(wire->context);
	buf_free(&wire->out);
	free(wire);
}

struct wire *wire_free(struct wire *wire)
{
	if (!wire)
		return NULL;
	answer_nobody(wire);
	destroy(wire);
	return NULL;
}

/* The wire is gone afterwards. */
static void wire_break_off(struct wire *wire, const char *why)
{
	char words[WHY_MAX];
	const struct wire_events *events = wire->events;
	void *arg = wire->arg;
	snprintf(words, sizeof(words), "%s", why);
	answer_nobody(wire);
	destroy(wire);
	events->broken(arg, words);
}

/* ---- answers */

static bool wire_is_error(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR;
}

/* What comes where messages are pushed: [kind, channel, text or count]. */
static bool is_push(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
	       reply->element[0]->type == REDIS_REPLY_STRING;
}

/* Why the connection can't go on with this reply; NULL where it can. */
static const char *wire_dispatch(struct wire *wire, const redisReply *reply)
{
	struct waiter *waiter = wire->first;
	if (waiter) {
		wire->first = waiter->next;
		if (!wire->first)
			wire->last = &wire->first;
		waiter->fn(waiter->arg, reply);
		free(waiter);
		return NULL;
	}
	if (wire->subscribed && is_push(reply)) {
		wire->events->pushed(wire->arg, reply);
		return NULL;
	}
	bool says_why = wire_is_error(reply) && *reply->str;
	return says_why ? reply->str : "protocol error: a reply to no command";
}

/* False where the wire is gone. */
static bool take_replies(struct wire *wire)
{
	for (;;) {
		void *reply = NULL;
		if (redisReaderGetReply(wire->context->reader, &reply) != REDIS_OK) {
			wire_break_off(wire, wire->context->reader->errstr);
			return false;
		}
		if (!reply)
			return true;
		const char *fault = wire_dispatch(wire, reply);
		if (fault)
			wire_break_off(wire, fault);
		freeReplyObject(reply);
		if (fault)
			return false;
	}
}

static ssize_t wire_read(struct wire *wire, void *bytes, size_t size)
{
	return wire->tls ? tls_stream_read(wire->tls, bytes, size)
	                 : read(wire->context->fd, bytes, size);
}

static ssize_t wire_write(struct wire *wire, const void *bytes, size_t size)
{
	return wire->tls ? tls_stream_write(wire->tls, bytes, size)
	                 : write(wire->context->fd, bytes, size);
}

/* Of a read or a write. */
static const char *wire_why(const struct wire *wire)
{
	return errno == EPROTO && wire->tls ? tls_stream_why(wire->tls) : strerror(errno);
}

/* False where the wire is gone. */
static bool take_bytes(struct wire *wire, const char *bytes, size_t n)
{
	const char *fault = resp_scan(&wire->resp, bytes, n);
	count_under_way(wire, wire->resp.bytes);
	if (!fault && under_way > UNDER_WAY_MAX)
		fault = RESP_ALL_TOO_LONG;
	/* Replies before the one at fault are answers: whoever waits for the next is the one it was
	 * for. */
	if (redisReaderFeed(wire->context->reader, bytes, fault ? wire->resp.whole : n) != REDIS_OK)
		fault = fault ? fault : wire->context->reader->errstr;
	if (!take_replies(wire))
		return false;
	if (fault)
		wire_break_off(wire, fault);
	return !fault;
}

/* One read, and what OpenSSL has taken off the socket with it. False where the wire is gone. */
static bool receive(struct wire *wire)
{
	char bytes[READ_BYTES];
	do {
		ssize_t n = wire_read(wire, bytes, sizeof(bytes));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0) {
			wire_break_off(wire,
			               n < 0 ? wire_why(wire) : "Server closed the connection");
			return false;
		}
		if (!take_bytes(wire, bytes, (size_t)n))
			return false;
	} while (wire->tls && tls_stream_pending(wire->tls));
	return true;
}

/* Writes what it can. False where the wire is gone. */
static bool flush(struct wire *wire)
{
	while (wire->written < wire->out.len) {
		ssize_t n = wire_write(wire, wire->out.data + wire->written,
		                       wire->out.len - wire->written);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!wire->tls || tls_stream_wants_write(wire->tls))
				event_add(wire->writable, NULL);
			return true;
		}
		if (n < 0) {
			wire_break_off(wire, wire_why(wire));
			return false;
		}
		wire->written += (size_t)n;
	}
	wire->written = 0;
	if (wire->out.cap > KEPT_BYTES)
		buf_free(&wire->out);
	else
		buf_reset(&wire->out);
	return true;
}

/* With TLS, a read may have to write, and a write waits for what is read. */
static void wire_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	(void)fd;
	(void)what;
	if (!receive(wire) || !wire->tls)
		return;
	if (tls_stream_wants_write(wire->tls))
		event_add(wire->writable, NULL);
	else
		flush(wire);
}

/* ---- connecting and sending */

static int socket_error(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	(void)what;
	if (!wire->connected) {
		int error = socket_error(fd);
		if (error) {
			wire_break_off(wire, strerror(error));
			return;
		}
		wire->connected = true;
		event_add(wire->readable, NULL);
		wire->events->connected(wire->arg);
	} else if (wire->tls && !receive(wire)) {
		return;
	}
	flush(wire);
}

enum { LENGTH_MAX = 24 }; /* a sign, the digits of a length, CRLF */

static char *put_length(char *at, char sign, size_t length)
{
	char text[INTEGER_TEXT_MAX];
	*at++ = sign;
	for (const char *digit = format_integer((int64_t)length, text); *digit != '\0'; digit++)
		*at++ = *digit;
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

/* As hiredis would, whose own way takes a block of memory for each command. */
static void append_command(struct wire *wire, const struct args *args)
{
	struct buf *out = &wire->out;
	size_t size = LENGTH_MAX;
	for (int i = 0; i < args->n; i++)
		size += LENGTH_MAX + args->lens[i] + 2;
	buf_reserve(out, size);
	char *at = put_length(out->data + out->len, '*', (size_t)args->n);
	for (int i = 0; i < args->n; i++) {
		at = put_length(at, '$', args->lens[i]);
		if (args->lens[i] > 0)
			memcpy(at, args->argv[i], args->lens[i]);
		at += args->lens[i];
		*at++ = '\r';
		*at++ = '\n';
	}
	out->len = (size_t)(at - out->data);
	event_add(wire->writable, NULL);
}

void wire_send(struct wire *wire, const struct args *args, wire_reply *fn, void *arg)
{
	append_command(wire, args);
	struct waiter *waiter = mem_alloc(sizeof(*waiter));
	*waiter = (struct waiter){.fn = fn, .arg = arg};
	*wire->last = waiter;
	wire->last = &waiter->next;
}

void wire_subscribe(struct wire *wire, const struct args *args)
{
	append_command(wire, args);
	wire->subscribed = true;
}

static redisContext *wire_fail(redisContext *context, char *why, const char *words)
{
	snprintf(why, WHY_MAX, "%s", words);
	if (context)
		redisFree(context);
	return NULL;
}

static redisContext *begin_to_connect(const struct wire_peer *peer, char *why)
{
	redisContext *context = peer->path ? redisConnectUnixNonBlock(peer->path)
	                                   : redisConnectNonBlock(peer->address, peer->port);
	if (!context || context->err)
		return wire_fail(context, why,
		                 context ? context->errstr : "no memory for a connection");
	if (!peer->path)
		redisEnableKeepAlive(context);
	return context;
}

struct wire *wire_connect(struct event_base *base, const struct wire_peer *peer,
                          const struct wire_events *events, void *arg, char *why)
{
	redisContext *context = begin_to_connect(peer, why);
	if (!context)
		return NULL;
	struct tls_stream *tls =
	        peer->trust ? tls_stream_new(peer->trust, context->fd, peer->host) : NULL;
	if (peer->trust && !tls) {
		wire_fail(context, why, "TLS: no certificate can have that name");
		return NULL;
	}
	struct wire *wire = mem_alloc(sizeof(*wire));
	*wire = (struct wire){.context = context, .tls = tls, .events = events, .arg = arg};
	wire->last = &wire->first;
	wire->readable = event_new(base, context->fd, EV_READ | EV_PERSIST, wire_on_readable, wire);
	wire->writable = event_new(base, context->fd, EV_WRITE, on_writable, wire);
	if (!wire->readable || !wire->writable)
		bug("no memory for a connection's events");
	event_add(wire->writable, NULL);
	return wire;
}
