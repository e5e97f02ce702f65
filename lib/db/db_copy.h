/* SPDX-License-Identifier: MIT */
#ifndef DB_DB_COPY_H
#define DB_DB_COPY_H

#include "db/db.h"

/* Writes all of it to a new file, as of one moment (within a read transaction, of its view), while
 * others may go on writing to it. */
bool db_copy(struct db *db, const char *path, struct error *err) MUST_CHECK;

/* `PRAGMA quick_check` of a copy that nobody uses, whichever schema it has. Makes and changes
 * nothing. Code 65. */
bool db_copy_check(const char *path, struct error *err) MUST_CHECK;

/* A small database of whichever schema, as of one moment, as the bytes of its file; NULL on a
 * fault. For db_copy_free(). */
unsigned char *db_copy_bytes(const char *path, size_t *ret_len, struct error *err) MUST_CHECK;
void db_copy_free(unsigned char *bytes);

#endif
