/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_SCHEMA_H
#define SPOOL_SPOOL_SCHEMA_H

#include "db/db.h"

/* For spool.c; a file of its own, in whose place the tests of an upgrade have one with a further
 * migration (tests/next). */
const struct db_schema *spool_schema(void);

#endif
