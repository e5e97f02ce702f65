/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CONTROL_TEST_H
#define DISPATCHD_CONTROL_TEST_H

#include "dispatchd/mailer/relay_test.h"

#include <jansson.h>

/* The answer to `relay.test`: {"ok": true, "relays": [{"relay", "ok", "steps": [{"step", "ms",
 * "ok", "reply"}]}]}. The caller's. */
json_t *test_answer(const struct relay_test *test);

/* The mail of a request to send one that somebody tries out; NULL, code 65, where it is none. The
 * caller's. */
struct outgoing_mail *test_mail(const json_t *request, struct error *err) MUST_CHECK;

#endif
