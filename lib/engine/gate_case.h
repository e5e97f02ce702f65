/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_GATE_CASE_H
#define ENGINE_GATE_CASE_H

#include "rules/gate.h"
#include "spool/spool.h"

struct engine;

/* A request as the gate's rules see it: of this turn, with its customer. */
struct gate_case engine_gate_case(struct engine *engine, const struct spool_request *request);

#endif
