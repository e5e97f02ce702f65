/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_HTTP_SERVER_H
#define DISPATCHD_HTTP_SERVER_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The HTTP socket, `[http] listen`. It knows limits, methods and how to answer; what there is to say
 * is in a table of routes. Not for the open internet: no TLS, no users.
 */
enum {
	HTTP_CONNECTIONS_MAX = 64,
	HTTP_HEADERS_MAX = 8 * 1024,
	HTTP_BODY_MAX = 64 * 1024,
	HTTP_TIMEOUT_S = 10, /* a silent connection */
};

/* One answer, made by a route. `status` is 200 unless it says otherwise. */
struct http_answer {
	int status;
	const char *type; /* Content-Type; static */
	struct buf body;
};

struct http_route {
	const char *path; /* exactly */
	void (*answer)(void *arg, const char *query,
	               struct http_answer *ret); /* query: NULL or what is behind ? */
	/*
	 * Instead of `answer`, where the answer comes later: asks under `number`, or returns false with
	 * *ret as the answer at once. http_told() brings the answer, `told` makes it one for the client.
	 */
	bool (*ask)(void *arg, int64_t number, const char *query, struct http_answer *ret);
	void (*told)(const char *text, bool local, struct http_answer *ret); /* local: over a Unix socket */
};

struct event_base;
struct evhttp_request;
struct http_server;

/*
 * Where and for whom. `listen` is "HOST:PORT", "[V6]:PORT" or "unix:PATH"; resolved here, so only at the
 * start. `group` is the Unix socket's ("": our own). `hosts` are the names that a Host may have over TCP
 * besides our own, for paths below /v1/; they may be changed.
 */
struct http_place {
	const char *listen, *group;
	const char *const *hosts; /* not owned */
};

/* `routes` end with a NULL path and outlive the server. */
struct http_server *http_new(struct event_base *base, const struct http_place *place,
                             const struct http_route *routes, void *arg, struct error *err) MUST_CHECK;
void http_set_hosts(struct http_server *server, const char *const *hosts); /* takes NULL for a server */
/* Whether there is such a group; "" is our own. */
bool http_check_group(const char *group, struct error *err) MUST_CHECK;
const char *http_address(const struct http_server *server); /* with the port that was taken */
struct http_server *http_free(struct http_server *server);  /* takes NULL; returns NULL */

/* The answer to a question asked by a route's `ask`. Takes NULL for a server that is off. */
void http_told(struct http_server *server, int64_t number, const char *text);

void http_send(struct evhttp_request *request, const struct http_answer *answer); /* for this room */

#endif
