/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_LOCK_H
#define ENGINE_LOCK_H

#include "base/error.h"

#define ENGINE_LOCK ".lock" /* behind the spool's name */

/*
 * One engine or standby per spool: takes the lock of the file beside spool.db, and waits 10 s for
 * it at most, since dispatchctl has it for one turn. A descriptor, with which the lock goes,
 * whatever becomes of the process; -1 on a fault: 75 where another keeps it, 74, 77.
 */
int engine_lock(const char *spool_path, struct error *err) MUST_CHECK;

#endif
