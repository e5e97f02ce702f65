/* SPDX-License-Identifier: MIT */
#ifndef DB_DB_PRIVATE_H
#define DB_DB_PRIVATE_H

#include "db/db.h"

#include <sqlite3.h>
#include <stdatomic.h>

/* What db.c and db_open.c share; nobody else includes it. */
enum { DB_SLOTS = 128 };

struct db_query {
	struct db *db;
	struct db_query *next; /* in its slot, or among those made for once */
	const char *sql;       /* its address is the key; not to be read for one made for once */
	sqlite3_stmt *stmt;    /* NULL where it couldn't be prepared: `rc` says why */
	int rc;                /* the first fault of preparing and binding */
	bool busy;             /* in use and not ended */
	bool once;
	int64_t ops; /* SQLite's steps since it began */
};

struct db {
	sqlite3 *handle;
	char *path;
	const char *remedy; /* its schema's */
	enum db_answer answer;
	struct db_query *slots[DB_SLOTS];
	struct db_query *once;
	int timeout_ms, waited_ms;
	db_waiting *waiting;
	void *waiting_arg;
	const struct db_schema *schema; /* that the file had at `cookie`; NULL: not compared */
	int64_t version;                /* of it, that the file has */
	int64_t cookie;                 /* SQLite's schema_version */
	struct db_query *stepped;       /* whose steps are counted; NULL: those of `ops` */
	int64_t ops, ops_max;
	const atomic_bool *stop; /* NULL: nobody ends it */
	bool over;               /* a statement took more than `ops_max` */
};

/* Who made a database file, and which: the three of dispatchd. */
enum {
	DB_ID_CUSTOMERS = 0x64637573, /* "dcus" */
	DB_ID_SPOOL = 0x64737031,     /* "dsp1" */
	DB_ID_CENTER = 0x6463656e,    /* "dcen" */
};

/*
 * db_header.c: looks at the file of a handle that has done nothing yet, and changes nothing. False
 * where it is not a database of that schema (65) or a newer program's (78). *ret_empty: there is
 * nothing in it.
 */
bool db_header_check(struct db *db, const struct db_schema *schema, bool *ret_empty,
                     struct error *err) MUST_CHECK;
/* False, with a fault (78), where the version is one that this program doesn't know. */
bool db_too_new(const struct db *db, const struct db_schema *schema, int64_t version,
                struct error *err) MUST_CHECK;

/*
 * db_schema.c: the schema against what our migrations make, within a transaction: as of `version`;
 * whether it has changed since db_schema_trust(). A fault (65) names the object.
 */
bool db_schema_check(struct db *db, const struct db_schema *schema, int64_t version,
                     struct error *err) MUST_CHECK;
bool db_schema_still(struct db *db, struct error *err) MUST_CHECK;
bool db_schema_cookie(struct db *db, int64_t *ret,
                      struct error *err) MUST_CHECK; /* SQLite's own count */

/* db_transaction.c: compares as of `version`; from then on each transaction finds changes. */
bool db_schema_trust(struct db *db, const struct db_schema *schema, int64_t version,
                     struct error *err) MUST_CHECK;

/* db_migrate.c: looks whose file it is, migrates it where `mode` says so, and trusts its schema. */
bool db_bring_forward(struct db *db, const struct db_schema *schema, enum db_mode mode,
                      struct error *err) MUST_CHECK;

/* db_open.c: a file to lock, made as a new database is made unless it is there: its descriptor, or
 * -1. Codes 65, 74, 77. */
int db_lock_file(const char *path, struct error *err) MUST_CHECK;

/* Records what SQLite's `rc` means and puts it into words; returns false. */
bool db_fault(struct db *db, int rc, struct error *err);
void db_query_free(struct db_query *query);

#endif
