/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_HTTP_SERVER_H
#define DISPATCHD_HTTP_SERVER_H

#include "base/error.h"
#include "dispatchd/http/route.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The HTTP socket, `[http] listen`. It knows limits, methods and how to answer; the answers come
 * from a table of routes. Not for the open internet: no TLS, no users.
 */
enum {
	HTTP_CONNECTIONS_MAX = 64,
	HTTP_HEADERS_MAX = 8 * 1024,
	HTTP_BODY_MAX = 64 * 1024,
	HTTP_TIMEOUT_S = 10, /* a silent connection */
};

struct event_base;
struct http_server;

/*
 * Where and for whom. `listen` is "HOST:PORT", "[V6]:PORT" or "unix:PATH"; resolved here, so only
 * at the start. `group` is the Unix socket's ("": our own). `hosts` are the names that a Host may
 * have over TCP besides our own, for paths below /v1/; they may be changed.
 */
struct http_place {
	const char *listen, *group;
	const char *const *hosts; /* not owned */
};

/* `routes` end with a NULL path and outlive the server. */
struct http_server *http_new(struct event_base *base, const struct http_place *place,
                             const struct http_route *routes, void *arg,
                             struct error *err) MUST_CHECK;
/* Takes NULL for a server. */
void http_set_hosts(struct http_server *server, const char *const *hosts);
const char *http_address(const struct http_server *server); /* with the port that was taken */
struct http_server *http_free(struct http_server *server);  /* takes NULL; returns NULL */

/* The reply to what a route's `ask` asked under `number`. Takes NULL for a server that is off. */
void http_reply(struct http_server *server, int64_t number, const char *text);

#endif
