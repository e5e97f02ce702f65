/* SPDX-License-Identifier: MIT */
#ifndef DB_DB_RECORD_H
#define DB_DB_RECORD_H

#include "base/buf.h"
#include "base/error.h"
#include "db/db.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a transaction changes, as bytes by which a copy of the database can follow: keys and new
 * values of the rows (a patchset of SQLite's session extension). Rows that are changed twice are in
 * it once, those that come and go not at all. Tables without a primary key and virtual tables
 * aren't recorded, nor what is in SQLite's own (sqlite_sequence follows from the rows).
 *
 *	struct db_record *record = db_record_begin(db, left_out, &err);    within a transaction
 *	…
 *	bool good = db_record_take(record, &changes, &err);                before its end
 *	db_record_free(record);
 */
struct db_record;

/* `left_out`: names of tables that aren't recorded, NULL-terminated, static; NULL for none. NULL
 * where there is no memory or the tables can't be read. */
struct db_record *db_record_begin(struct db *db, const char *const *left_out,
                                  struct error *err) MUST_CHECK;
/* Adds the changes to `ret`; nothing where nothing has changed. */
bool db_record_take(struct db_record *record, struct buf *ret, struct error *err) MUST_CHECK;
/* The same for at most `max` bytes: where it is more, nothing is added and *ret_whole is false. */
bool db_record_take_upto(struct db_record *record, size_t max, struct buf *ret, bool *ret_whole,
                         struct error *err) MUST_CHECK;
struct db_record *db_record_free(struct db_record *record); /* takes NULL; returns NULL */

/*
 * Makes these changes, within a transaction of `db`. Triggers don't run, and no foreign key acts or
 * is checked: what they did where the changes were recorded is among them. False, and all is to be
 * rolled back, where a row isn't as it was there (65): a key that is taken, a row that is missing,
 * a table that this schema doesn't have. Of a table with fewer columns SQLite notices nothing and
 * passes it over, so the caller has to know that the schemas are the same.
 *
 * The connection must not be used for anything else, since foreign keys are off from
 * db_follow_begin() on.
 */
bool db_follow_begin(struct db *db, struct error *err) MUST_CHECK; /* outside of a transaction */
bool db_follow(struct db *db, const void *changes, size_t len, struct error *err) MUST_CHECK;

/*
 * The same by statements that are kept for the next changes. False where something doesn't fit as
 * it comes, for whatever reason: all is to be rolled back, and db_follow() says what it is, or
 * makes the changes in another order. To be freed before `db` is closed.
 */
struct db_follower;
struct db_follower *db_follower_new(struct db *db);
bool db_follower_make(struct db_follower *follower, const void *changes, size_t len) MUST_CHECK;
struct db_follower *db_follower_free(struct db_follower *follower); /* takes NULL; returns NULL */

#endif
