/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_HTTP_PENDING_H
#define DISPATCHD_HTTP_PENDING_H

#include "dispatchd/http/route.h"

/*
 * Requests whose answer comes later, from another thread. A request keeps its place until that
 * thread has answered, also when its client has gone: so what the other thread holds is bounded,
 * too.
 */
enum {
	HTTP_PENDING_MAX = 32,
	HTTP_ANSWER_MS = 3000, /* then it is 503 */
};

struct event_base;
struct evhttp_request;
struct pending;

struct pending *pending_new(struct event_base *base, bool local); /* local: a Unix socket's */
/* Clients that wait get a 503. Before evhttp_free(). Takes NULL; returns NULL. */
struct pending *pending_free(struct pending *pending);

/* Asks by the route and answers later; at once where the request is bad or no place is free. */
void pending_ask(struct pending *pending, const struct http_route *route, void *arg,
                 struct evhttp_request *request);
/* The reply to request `number`. Does nothing where it is not pending. */
void pending_reply(struct pending *pending, int64_t number, const char *text);

#endif
