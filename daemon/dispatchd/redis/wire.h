/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_WIRE_H
#define DISPATCHD_REDIS_WIRE_H

#include "common/args.h"
#include "common/tls_stream.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>

/*
 * One connection to Redis in the loop, from the first byte to the last. hiredis connects
 * and parses replies; what it parses was looked at before (base/resp.h), and which reply belongs to
 * which command is known here. A peer that sends what nobody asked for, or breaks the protocol,
 * loses the connection.
 */
struct event_base;
struct wire;

/* The answer; NULL where the connection ended before it came. The reply is gone after the call. */
typedef void wire_reply(void *arg, const redisReply *reply);

struct wire_events {
	void (*connected)(void *arg);
	/* Broken, by the peer or by what it sent; the wire is gone after this call, the last of its
	 * calls. Those that wait for an answer have got their NULL. */
	void (*broken)(void *arg, const char *why);
	wire_reply *pushed; /* once wire_subscribe() was called: what comes, NULL at the end */
};

struct wire_peer {
	const char *path;    /* of a Unix socket; else NULL */
	const char *address; /* numeric */
	int port;
	const struct tls_trust *trust; /* for TLS; NULL without. */
	const char *host;              /* whom the certificate has to be for */
};

/* NULL with `why` set (256 bytes) where it can't even be tried. */
struct wire *wire_connect(struct event_base *base, const struct wire_peer *peer,
                          const struct wire_events *events, void *arg, char *why);
/* The command is copied. */
void wire_send(struct wire *wire, const struct args *args, wire_reply *fn, void *arg);
/* The command is SUBSCRIBE: from now on what comes is pushed, once those before it have their
 * answers. */
void wire_subscribe(struct wire *wire, const struct args *args);
/* Ends it from the loop's top (not from its own calls): those that wait get NULL; `broken` isn't
 * called. */
struct wire *wire_free(struct wire *wire); /* takes NULL; returns NULL */

#endif
