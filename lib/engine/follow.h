/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_FOLLOW_H
#define ENGINE_FOLLOW_H

#include "base/error.h"

#include <stdbool.h>

struct engine;

/* Which customers.db is used. */

/* That of the settings, made only where the spool knows none. */
bool engine_open_customers(struct engine *engine, struct error *err) MUST_CHECK;
/* Before a turn: opens what has been put in its place. False where none can be used. */
bool engine_follow_customers(struct engine *engine, struct error *err) MUST_CHECK;
/* Within a turn: whether it is the known one, or the one to adopt, or the first. It is recorded. */
bool engine_knows_customers(struct engine *engine, struct error *err) MUST_CHECK;

#endif
