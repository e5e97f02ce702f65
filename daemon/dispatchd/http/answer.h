/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_HTTP_ANSWER_H
#define DISPATCHD_HTTP_ANSWER_H

#include "base/buf.h"

struct evhttp_request;

/* One answer, made by a route. `status` is 200 unless it says otherwise. */
struct http_answer {
	int status;
	const char *type; /* Content-Type; static */
	struct buf body;
};

/* Answers the request and ends it. The answer stays the caller's. */
void http_answer_send(struct evhttp_request *request, const struct http_answer *answer);

#endif
