/* SPDX-License-Identifier: MIT */
#ifndef UNIT_TABLES_H
#define UNIT_TABLES_H

#include "base/buf.h"

/* All tables of the database in that file but SQLite's own, row by row: of two with equal rows it
 * is the same text. */
void tables_print(const char *path, struct buf *ret);

#endif
