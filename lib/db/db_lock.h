/* SPDX-License-Identifier: MIT */
#ifndef DB_DB_LOCK_H
#define DB_DB_LOCK_H

#include "base/error.h"

#include <stdbool.h>

/*
 * Locks of files beside a database: PATH with a suffix. They go with the descriptor, whatever
 * becomes of the process. The file is made as a new database is made, so that the daemon's user and
 * the office's can both lock it.
 */

/* Waits for another's for so long. A descriptor; -1 on a fault: 75 with `held` behind the file's
 * name where another has it, 65, 74, 77. */
int db_lock(const char *path, const char *suffix, int wait_ms, const char *held,
            struct error *err) MUST_CHECK;
/* Whether somebody has it: true as well where there is no such file. */
bool db_lock_is_held(const char *path, const char *suffix);

#endif
