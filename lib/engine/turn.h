/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "base/error.h"
#include "engine/engine.h"

#include <stdbool.h>

/* Begins a turn's transaction; `turn` gets an arena. */
bool engine_turn_begin(struct engine *engine, struct turn *turn, struct error *err) MUST_CHECK;
/* Commits it. */
bool engine_turn_end(struct engine *engine, struct error *err) MUST_CHECK;

#endif
