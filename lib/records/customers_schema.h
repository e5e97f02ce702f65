/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_CUSTOMERS_SCHEMA_H
#define RECORDS_CUSTOMERS_SCHEMA_H

#include "db/db.h"

/* For customers.c; a file of its own, in whose place the tests of an upgrade have one with a
 * further migration (tests/next). */
const struct db_schema *customers_schema(void);

#endif
