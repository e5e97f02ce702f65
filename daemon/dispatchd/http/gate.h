/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_HTTP_GATE_H
#define DISPATCHD_HTTP_GATE_H

#include "dispatchd/http/route.h"

/* `GET /v1/gate?customer=…&type=job.create|job.dispatch[&scheduled=…]`: what the gate would say, as
 * JSON. A suspension's note is for those on a Unix socket alone. Its argument is a `const struct
 * daemon_view *`. */
bool http_gate_ask(void *arg, int64_t number, const char *query, struct http_answer *ret);
void http_gate_reply(const char *text, bool local, struct http_answer *ret);

#endif
