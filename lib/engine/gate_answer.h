/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_GATE_ANSWER_H
#define ENGINE_GATE_ANSWER_H

#include "base/error.h"
#include "base/mem.h"
#include "base/zone.h"
#include "model/customer.h"
#include "model/settings.h"

#include <jansson.h>

/*
 * What the gate would say, without anything happening: for GET /v1/gate and `dispatchctl gate`.
 * `in` has type (job.create or job.dispatch, a prefix is ignored) and perhaps scheduled; `out` gets
 * type, customer, status, reason, outside_hours, and, where they apply, note, until, due (when a
 * held job may go) or expires (when its time is over before it may), arrive_by, leave_by. Code 64
 * where `in` is wrong.
 */
bool gate_answer(const struct settings *settings, struct zones *zones, struct arena *arena,
                 struct instant now, const struct customer *customer, const json_t *in, json_t *out,
                 struct error *err) MUST_CHECK;

#endif
