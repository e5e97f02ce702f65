/* SPDX-License-Identifier: MIT */
#include "engine/lock.h"

#include "db/db_lock.h"

enum { LOCK_WAIT_MS = 10000 };

int engine_lock(const char *spool_path, struct error *err)
{
	return db_lock(spool_path, ENGINE_LOCK, LOCK_WAIT_MS,
	               "another dispatchd or dispatchctl has the spool", err);
}
