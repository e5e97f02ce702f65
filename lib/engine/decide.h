/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_DECIDE_H
#define ENGINE_DECIDE_H

#include "model/customer.h"
#include "model/event.h"

struct engine;

/* Judges an event of a known customer for the first time and records what follows. */
void engine_decide(struct engine *engine, const struct job_event *event,
                   const struct customer *customer);

#endif
