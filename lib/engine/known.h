/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_KNOWN_H
#define ENGINE_KNOWN_H

#include "records/customers.h"

/*
 * The customers.db that the spool knows. It is in use as long as the spool is; one that is missing,
 * empty or another's is used by nobody, until the known one is back or a manager adopts this one.
 */

/* False, with a fault (66), where there is no file or an empty one. */
bool known_is_there(const char *path, struct error *err) MUST_CHECK;
/* The same for one of another identity (65). With `known` "" there is nothing to compare. */
bool known_is_this(const char *path, const char *known, const char *identity,
                   struct error *err) MUST_CHECK;

/* False, with a fault (65), where the -wal beside it is another file's, by the stamp that the spool
 * has; before it is opened. The second asks the spool itself, where there is cause to. */
bool known_has_own_wal(const char *path, const char *stamp, struct error *err) MUST_CHECK;
bool known_wal_fault(const char *path, struct error *err);
bool known_may_open(const char *path, const char *spool_path, struct error *err) MUST_CHECK;
/* Compares an open one with what the spool at `spool_path` knows; one that can't be read says
 * nothing against it. */
bool known_compare(struct customers *customers, const char *spool_path,
                   struct error *err) MUST_CHECK;

/*
 * customers_open() for those who are not the engine: where the spool at `spool_path` knows a
 * customers.db, no other is made or written. What is there may be read, whichever it is.
 */
struct customers *known_open(const char *path, const char *spool_path, enum db_mode mode,
                             struct error *err) MUST_CHECK;

#endif
