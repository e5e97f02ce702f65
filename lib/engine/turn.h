/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "base/error.h"
#include "engine/turn_input.h"
#include "engine/turn_output.h"

#include <stdbool.h>

struct engine;

/* From now on the engine works on that turn: `out` is emptied and gets an arena. */
void engine_turn_enter(struct engine *engine, const struct turn_input *in, struct turn_output *out);
/* Begins its transaction. */
bool engine_turn_begin(struct engine *engine, struct error *err) MUST_CHECK;
/* Commits it; only where that fails, nothing of the turn has happened. */
bool engine_turn_commit(struct engine *engine, struct error *err) MUST_CHECK;
/* The engine is between turns again: what the turn needed besides its output is freed. */
void engine_turn_leave(struct engine *engine);

#endif
