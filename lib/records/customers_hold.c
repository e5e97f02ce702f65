/* SPDX-License-Identifier: MIT */
#include "records/customers_hold.h"

#include "db/db_lock.h"

static const char suffix[] = ".owner";

int customers_hold(const char *path, struct error *err)
{
	return db_lock(path, suffix, 0, "another dispatchd holds it", err);
}

bool customers_owner_works(const char *path)
{
	return db_lock_is_held(path, suffix);
}
