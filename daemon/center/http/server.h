/* SPDX-License-Identifier: MIT */
#ifndef CENTER_HTTP_SERVER_H
#define CENTER_HTTP_SERVER_H

#include "base/error.h"
#include "center/http/request.h"
#include "center/http/response.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The HTTP server, on libmicrohttpd: a pool of threads, bounds on connections, time and sizes. It
 * knows nothing of customers: whoever starts it says what a request gets.
 *
 *   headers ─▶ admit() ─ refused ─▶ answer, the body unread
 *                │
 *                └─▶ body, streamed ─▶ answer() ─▶ answer
 *
 * A stream (response.h) that has nothing to say costs no thread: its connection is put aside until
 * server_wake().
 */
struct server;

struct server_rules {
	/* After the headers, before anything of the body is read: false where `response` is the
	 * answer already. *ret_body_max is how many bytes it may have. */
	bool (*admit)(void *arg, struct request *request, int64_t *ret_body_max,
	              struct response *response);
	void (*answer)(void *arg, struct request *request, struct response *response);
	void *arg;
};

struct server_options {
	const char *listen;             /* as base/endpoint.h takes it */
	const char *tls_cert, *tls_key; /* PEM texts; NULL: plain HTTP */
	unsigned threads;
};

/* 69 where it can't listen. Each thread calls the rules for one request at a time. */
struct server *server_start(const struct server_options *options, const struct server_rules *rules,
                            struct error *err) MUST_CHECK;
/* Where it listens, with the port that was chosen. */
const char *server_address(const struct server *server);
/* Asks the streams that had nothing to say again. By any thread. */
void server_wake(struct server *server);
/* Ends after requests under way; takes NULL; returns NULL. */
struct server *server_stop(struct server *server);

#endif
