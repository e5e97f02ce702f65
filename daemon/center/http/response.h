/* SPDX-License-Identifier: MIT */
#ifndef CENTER_HTTP_RESPONSE_H
#define CENTER_HTTP_RESPONSE_H

#include "base/buf.h"
#include "base/error.h"
#include "center/http/request.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * An answer that goes on for as long as there is something to say. `read` gives at most `max` bytes
 * of it: 0 for nothing now, after which it is called again once server_wake() was; -1 at its end.
 * `end` is called once when nobody reads anymore. Both by the server's threads.
 */
struct response_stream {
	ssize_t (*read)(void *arg, char *ret, size_t max);
	void (*end)(void *arg);
	void *arg;
};

/* The answer to a request. Headers live in the request's arena. */
struct response {
	int status;
	const char *type; /* the Content-Type; NULL: there is no content */
	struct request_pairs headers;
	struct buf body;
	FILE *file;           /* in place of `body`: sent from its beginning, then closed */
	const char *embedded; /* in place of `body`: static memory */
	size_t embedded_len;
	struct response_stream stream; /* in place of `body`, where it has a `read` */
};

void response_header(struct response *response, struct request *request, const char *name,
                     const char *value);
/* Takes over `value`. */
void response_json(struct response *response, int status, json_t *value);
void response_text(struct response *response, int status, const char *text);
/* The Content-Security-Policy of pages whose pictures may come from `images`, too: an origin. */
#define RESPONSE_POLICY(images)                                                                    \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:" images     \
	"; "                                                                                       \
	"connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "              \
	"frame-ancestors 'none'"
const char *response_policy(const struct request *request, const char *images);
/* 303 (RFC 9110, section 15.4.4). */
void response_redirect(struct response *response, struct request *request, const char *where);
/* A problem as RFC 9457 has it: `application/problem+json`. */
void response_problem(struct response *response, int status, const char *detail);
/* What a fault of a record function means over HTTP: 65 is 422, 66 404, 75 503, 77 403, else 500.
 */
int response_status_of(const struct error *err);

/*
 * Sets the cookie with the session's secret; NULL takes it away. Over TLS, by a proxy's or our own,
 * its name begins with `__Host-` and it is Secure.
 */
void response_cookie(struct response *response, struct request *request, bool secure,
                     const char *secret);
#define COOKIE_SECURE "__Host-dispatch"
#define COOKIE_PLAIN  "dispatch"

#endif
