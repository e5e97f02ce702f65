/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_HTTP_ROUTE_H
#define DISPATCHD_HTTP_ROUTE_H

#include "dispatchd/http/answer.h"

#include <stdbool.h>
#include <stdint.h>

/* What is answered at one path. */
struct http_route {
	const char *path; /* exactly */
	/* `query`: NULL, or what follows the question mark. */
	void (*answer)(void *arg, const char *query, struct http_answer *ret);
	/*
	 * Instead of `answer`, where the answer comes later: asks under `number`, or returns false
	 * with *ret as the answer at once. http_reply() brings the reply, `reply` makes it an
	 * answer for the client. `local`: who is connected over a Unix socket.
	 */
	bool (*ask)(void *arg, int64_t number, const char *query, struct http_answer *ret);
	void (*reply)(const char *text, bool local, struct http_answer *ret);
};

#endif
