/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CONTROL_TEST_H
#define DISPATCHD_CONTROL_TEST_H

#include "dispatchd/mailer/relay_test.h"

#include <jansson.h>

/* The answer to `relay.test`: {"ok": true, "relays": [{"relay", "ok", "steps": [{"step", "ms",
 * "ok", "reply"}]}]}. The caller's. */
json_t *test_answer(const struct relay_test *test);

#endif
