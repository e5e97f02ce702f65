/* SPDX-License-Identifier: MIT */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/error.h"
#include "base/instant.h"
#include "base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A SQLite file as both databases need it: a schema that is compared with ours (db_schema.c), WAL,
 * synchronous=FULL, foreign keys, a busy timeout, a schema version that moves forward on its own. A
 * `struct db` belongs to one thread.
 *
 *	struct db_query *q = db_query(db, "SELECT name FROM customer WHERE number = ?1");
 *	db_bind_text(q, 1, number);
 *	while ((step = db_step(q, err)) == DB_ROW)
 *		use(db_text(q, 0, arena));
 *	if (step == DB_FAULT)
 *		return false;
 */
struct db;
struct db_query;

/* What a database is: one row of constants a database. */
struct db_schema {
	const char *name;              /* "customers.db", for messages */
	uint32_t application_id;       /* distinguishes the two databases */
	const char *const *migrations; /* SQL; the version is how many of them have run */
	size_t n_migrations;
	/* Sets up a new connection (SQL functions that the schema uses); may be NULL. `handle` is a
	 * sqlite3
	 * *. */
	bool (*connect)(void *handle);
	const char *digest; /* of the schema that all of them make, see db_schema_digest(); may be
	                       NULL */
	const char *remedy; /* what a person can do about a damaged file: the end of a sentence */
	int page_bytes;     /* of a new file's pages; 0: SQLite's own choice */
	bool private; /* the file is its owner's alone, mode 0600; any other is refused (77) */
	/* What SQL can't do of the step to `version`, the `latest` or not, in its transaction; may
	 * be NULL. */
	bool (*migrated)(struct db *db, size_t version, bool latest, struct error *err);
	/* In a cluster a file moves to the next version with the owner's, by the journal: asks a
	 * file whether it is a cluster's (0 or 1), and the first version that can be; NULL: none
	 * ever is. From the version behind it on, a migration must make of equal files equal ones:
	 * nothing random in it, no time. */
	const char *in_cluster;
	int64_t cluster_version;
};

enum db_mode {
	DB_READ,   /* an absent or empty file counts as an empty database; writing is refused */
	DB_WRITE,  /* an absent file is made: owner and group of its directory, mode 0660 (0600) */
	DB_OWN,    /* the same by whoever decides for the file: migrates a cluster's, too */
	DB_FOLLOW, /* as DB_WRITE, but a file that can be a cluster's stays as it is, of its own
	              version; only db_migrate() moves it */
};

/*
 * Opens and migrates. A file that isn't ours, or that a newer program made, is left as it is, down
 * to the files beside it; so is a cluster's of an older version, which is opened by DB_OWN and
 * DB_FOLLOW alone. `err->code`: 65 no database or a broken one or another's, 74 I/O or no
 * directory, 75 locked for too long, or a cluster's of an older version, 77 not allowed, 78 made
 * by a newer program. NULL on a fault.
 */
struct db *db_open(const char *path, const struct db_schema *schema, enum db_mode mode,
                   struct error *err) MUST_CHECK;
/* Which version of its schema the file has that is open. */
int64_t db_version(const struct db *db);
bool db_is_latest(const struct db *db); /* the version that this program has */
/*
 * Migrates it up to exactly that version, which this program knows, in one transaction, with
 * triggers and foreign keys on, whatever db_follow_begin() has set; afterwards they are as before.
 * Nothing happens where it has that version or a later one. Outside of a transaction. Codes as
 * db_open().
 */
bool db_migrate(struct db *db, int64_t version, struct error *err) MUST_CHECK;
/*
 * Whether the file is one of that schema, or isn't there, or is empty, without making, locking or
 * changing anything. Codes as above.
 */
bool db_inspect(const char *path, const struct db_schema *schema, struct error *err) MUST_CHECK;
/*
 * Writes the BLAKE2b digest of the file's schema (type, name, table and SQL of each object) as
 * DB_DIGEST_SIZE bytes of hexadecimal text. True where it is the one that the schema's row names;
 * where it isn't, opening is slower and nothing else.
 */
enum { DB_DIGEST_SIZE = 65 };
bool db_schema_digest(struct db *db, char *ret_hex);
enum { IDENTITY_SIZE = 80 };        /* of the name that a customers.db is known by, with its NUL */
struct db *db_close(struct db *db); /* takes NULL; returns NULL */

/* Whether there is a directory to make the file in. Codes 74, 77. */
bool db_has_directory(const char *path, struct error *err) MUST_CHECK;

/*
 * Whether a daemon may work with the database: its folder belongs to it or to root, and folder and
 * file can be written. True where there is no folder: whoever opens the database reports it.
 * Code 77.
 */
bool db_may_write(const char *path, struct error *err) MUST_CHECK;

/* How long to wait for another's lock (5 s at first), and what to call once when a second of it is
 * over. */
typedef void db_waiting(void *arg);
void db_set_wait(struct db *db, int timeout_ms, db_waiting *waiting, void *arg);

/*
 * How many of SQLite's own steps a statement may take (about 10 to 100 million a second; at first
 * so many that only one without end takes more): then it fails (65), as does all that is under way
 * or begun once *stop is true (75). `stop` may be NULL, else it must outlive the db.
 */
void db_set_limit(struct db *db, int64_t steps, const atomic_bool *stop);

/* What the last thing that failed here was, for callers that treat them differently (the engine
 * tries again for all but DB_WRONG). The error's code is the same sorted into exit codes. */
enum db_answer {
	DB_FINE,
	DB_BUSY,       /* another holds the lock; 75 */
	DB_FULL,       /* the disk or the quota; 74 */
	DB_IO,         /* 74 */
	DB_CORRUPT,    /* 65 */
	DB_DENIED,     /* read-only file or file system; 77 */
	DB_CONSTRAINT, /* a UNIQUE, CHECK, NOT NULL or foreign key; 65 */
	DB_WRONG,      /* anything else: a fault of ours; 70 */
};
enum db_answer db_answer(const struct db *db);
void db_answer_clear(struct db *db); /* DB_FINE until the next fault */
/* Whether `err`, set since db_answer_clear(), is the input's fault: it can never be taken. Not that
 * of a database which is locked, full, read-only or broken, where the same may work later. */
bool db_input_fault(const struct db *db, const struct error *err);

/* Transactions. db_begin() takes the write lock at once (BEGIN IMMEDIATE); a read transaction keeps
 * one view of the data until db_end_read(). db_rollback() does nothing where none is open. */
bool db_begin(struct db *db, struct error *err) MUST_CHECK;
bool db_commit(struct db *db, struct error *err) MUST_CHECK; /* rolls back when it fails */
void db_rollback(struct db *db);
bool db_begin_read(struct db *db, struct error *err) MUST_CHECK;
void db_end_read(struct db *db);
bool db_in_transaction(const struct db *db);

/*
 * A statement, prepared once a connection and kept; `sql` must be static memory (it is found again
 * by its address). Never NULL: where it can't be prepared, stepping says why. Bindings start as
 * NULL. One that is still being stepped is left alone and a second one is made, so it may be used
 * recursively.
 */
struct db_query *db_query(struct db *db, const char *sql);
/* The same for SQL put together at run time; ends with db_finish(). */
struct db_query *db_query_once(struct db *db, const char *sql);

/* Parameters count from 1. Texts are copied, but for those of db_bind_static(), -_text() and
 * -_blob(): they stay until the query has ended. */
void db_bind_static(struct db_query *query, int i, const char *text, size_t len);
void db_bind_static_text(struct db_query *query, int i, const char *text); /* NULL binds NULL */
void db_bind_static_blob(struct db_query *query, int i, const void *bytes, size_t len);
void db_bind_text(struct db_query *query, int i, const char *text); /* NULL binds NULL */
void db_bind_text_n(struct db_query *query, int i, const char *text, size_t len);
void db_bind_int(struct db_query *query, int i, int64_t value);
void db_bind_blob(struct db_query *query, int i, const void *bytes, size_t len);
void db_bind_null(struct db_query *query, int i);
void db_bind_instant(struct db_query *query, int i, struct instant t); /* INSTANT_NONE binds NULL */
void db_bind_day(struct db_query *query, int i, struct day day); /* as text; DAY_NONE binds NULL */

enum db_step { DB_ROW, DB_DONE, DB_FAULT };
/* After DB_DONE and DB_FAULT the query has ended and is ready for its next use. */
enum db_step db_step(struct db_query *query, struct error *err) MUST_CHECK;
bool db_run(struct db_query *query,
            struct error *err) MUST_CHECK; /* to the end, rows are passed over */
/* The first row's first column; `none` where there is no row or it is NULL. Ends the query. */
bool db_run_int(struct db_query *query, int64_t none, int64_t *ret, struct error *err) MUST_CHECK;
void db_finish(struct db_query *query); /* ends it before DB_DONE; takes NULL and ended ones */

/* Columns count from 0; wrong types are converted, never a fault (a database may have been edited
 * by hand). */
const char *db_text(struct db_query *query, int column, struct arena *arena); /* "" for NULL */
const char *db_text_or_null(struct db_query *query, int column, struct arena *arena);
/* Good until the next step; NULL for NULL. */
const char *db_peek_text(struct db_query *query, int column, size_t *ret_len);
const void *db_peek_blob(struct db_query *query, int column, size_t *ret_len);
int64_t db_int(struct db_query *query, int column);
bool db_is_null(struct db_query *query, int column);
struct instant db_instant(struct db_query *query, int column); /* INSTANT_NONE for NULL */
struct day db_day(struct db_query *query, int column); /* DAY_NONE for NULL and what isn't a day */

/* SQL that gives no rows and has no parameters, several statements with `;`. */
bool db_exec(struct db *db, const char *sql, struct error *err);

/* Has a row in sqlite_sequence for each table that numbers by AUTOINCREMENT, also for those that
 * had no row yet. */
#define DB_SEQUENCES_ALL                                                                           \
	"INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_schema WHERE type = "  \
	"'table' AND sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM "                \
	"sqlite_sequence)"

int64_t db_last_id(const struct db *db);
int64_t db_changes(const struct db *db); /* rows that the last statement changed */

/* Grows when another connection has committed (2.6 µs); -1 where that is unknown. */
int64_t db_data_version(struct db *db);

/* Whether an empty one in memory stands for a file that was missing when it was opened to be read.
 */
bool db_in_memory(const struct db *db);
/* Whether another file is at the path by now (a backup was put back); `ret_clean` reports that
 * there is no -wal left beside it, which would be the old one's and must not be read into the
 * new. */
bool db_replaced(struct db *db, bool *ret_clean);
/* Whether no file is at the path anymore: what is written now would go with it. */
bool db_gone(struct db *db);

/*
 * What one can see of a file and its -wal from outside, as text to be kept; and whether the -wal
 * that is there by now is another file's than the one at the path, as far as the two that were
 * there then show it (db_stray.c). db_wal_may_stray() is cheap, needs nothing kept, and false
 * nearly always.
 */
enum { DB_STAMP_SIZE = 6 * 21 };
void db_stamp(const char *path, char ret[DB_STAMP_SIZE]);
bool db_wal_may_stray(const char *path);
bool db_wal_strays(const char *path, const char *stamp);
/* Has the end leave the -wal as it is, where it must not go into the file. */
void db_leave_wal(struct db *db);

/* `PRAGMA quick_check`: true where all is well, else `err` has the first finding. Slow on a big
 * file. */
bool db_check(struct db *db, struct error *err) MUST_CHECK;

const char *db_path(const struct db *db);

#endif
