/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "base/error.h"
#include "base/instant.h"
#include "model/event.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/* Answers a request, again where it is known. `until`: how long it may wait for its customer. */
void engine_process_request(struct engine *engine, const struct entry *entry,
                            const struct job_event *event, struct instant until);
/* Held jobs whose time has come; all of them when customers have changed. In the order in which
 * they came. */
void engine_recheck_held(struct engine *engine);

/* By hand; false with a reason where it is not held. By the request's id, else by the job's where
 * there is no such request; *id becomes the request's. */
bool engine_release_by_hand(struct engine *engine, int64_t *id, const char *job, const char *note,
                            struct error *err) MUST_CHECK;
bool engine_cancel_by_hand(struct engine *engine, int64_t *id, const char *job, const char *note,
                           struct error *err) MUST_CHECK;

#endif
