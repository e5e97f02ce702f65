/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TURN_JOURNAL_H
#define ENGINE_TURN_JOURNAL_H

#include <stdbool.h>

struct engine;

/* Last within a turn's transaction: its changes go into the journal, if there is one and something
 * has changed. A fault is kept by the spool, so that the commit fails. */
void engine_append_turn(struct engine *engine);
/* Behind the commit. */
void engine_appended(struct engine *engine, bool committed);

#endif
