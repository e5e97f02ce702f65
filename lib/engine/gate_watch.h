/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_GATE_WATCH_H
#define ENGINE_GATE_WATCH_H

#include "model/suspension.h"
#include "rules/gate.h"
#include "spool/spool.h"

struct engine;

/* A job that is released from now on: sets `watched` and `recheck`. */
void engine_watch(struct engine *engine, struct spool_request *request,
                  const struct gate_case *subject);
/* The suspension against which a released job is under way; NULL: none now, and `recheck` is when
 * to check again. */
const struct suspension *engine_watched_suspension(struct engine *engine,
                                                   struct spool_request *request);

#endif
