/* SPDX-License-Identifier: MIT */
#ifndef UNIT_TABLES_H
#define UNIT_TABLES_H

#include "base/buf.h"

#include <stdint.h>

/* All tables of the database in that file but SQLite's own, row by row: of two with equal rows it
 * is the same text. */
void tables_print(const char *path, struct buf *ret);
/* The one number that the query gives, by a connection of its own. */
int64_t tables_number(const char *path, const char *sql);

#endif
