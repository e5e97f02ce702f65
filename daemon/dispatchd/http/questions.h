/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_HTTP_QUESTIONS_H
#define DISPATCHD_HTTP_QUESTIONS_H

#include "dispatchd/http/server.h"

/*
 * Requests whose answer comes later, from another thread. A question keeps its place until that thread
 * has answered, also when nobody waits for it any more: so what lies there is bounded, too.
 */
enum {
	HTTP_QUESTIONS_MAX = 32,
	HTTP_ANSWER_MS = 3000, /* then it is 503 */
};

struct evhttp_request;
struct questions;

struct questions *questions_new(struct event_base *base, bool local); /* local: a Unix socket's */
/* Whoever waits is told that the daemon stops. Before evhttp_free(). Takes NULL; returns NULL. */
struct questions *questions_free(struct questions *questions);

/* Asks by the route and answers then; at once where it is a bad question or there is no place. */
void questions_ask(struct questions *questions, const struct http_route *route, void *arg,
                   struct evhttp_request *request);
/* The answer to question `number`; nothing happens where nobody waits for it any more. */
void questions_told(struct questions *questions, int64_t number, const char *text);

#endif
