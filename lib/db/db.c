/* SPDX-License-Identifier: MIT */
/*
 * Statements of one connection: the cache, bindings and stepping. Opening is db_open.c,
 * transactions are db_transaction.c.
 *
 * A query keeps the first fault of its bindings and reports it when stepped, so callers bind
 * without looking. Statements are found by the address of their SQL: two literals with equal text
 * may cost a second statement, never a wrong one.
 */
#include "db/db.h"

#include "db/db_private.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* How SQLite's primary result codes sort into answers and exit codes. */
static const struct {
	int sqlite;
	enum db_answer answer;
	int code;
} answers[] = {
        {.sqlite = SQLITE_BUSY, .answer = DB_BUSY, .code = EX_TEMPFAIL},
        {.sqlite = SQLITE_LOCKED, .answer = DB_BUSY, .code = EX_TEMPFAIL},
        {.sqlite = SQLITE_PROTOCOL, .answer = DB_BUSY, .code = EX_TEMPFAIL},
        {.sqlite = SQLITE_FULL, .answer = DB_FULL, .code = EX_IOERR},
        {.sqlite = SQLITE_IOERR, .answer = DB_IO, .code = EX_IOERR},
        {.sqlite = SQLITE_CANTOPEN, .answer = DB_IO, .code = EX_IOERR},
        {.sqlite = SQLITE_CORRUPT, .answer = DB_CORRUPT, .code = EX_DATAERR},
        {.sqlite = SQLITE_NOTADB, .answer = DB_CORRUPT, .code = EX_DATAERR},
        {.sqlite = SQLITE_PERM, .answer = DB_DENIED, .code = EX_NOPERM},
        {.sqlite = SQLITE_READONLY, .answer = DB_DENIED, .code = EX_NOPERM},
        {.sqlite = SQLITE_AUTH, .answer = DB_DENIED, .code = EX_NOPERM},
        {.sqlite = SQLITE_CONSTRAINT, .answer = DB_CONSTRAINT, .code = EX_DATAERR},
        {.sqlite = SQLITE_TOOBIG, .answer = DB_CORRUPT, .code = EX_DATAERR},
        {.sqlite = SQLITE_INTERRUPT, .answer = DB_BUSY, .code = EX_TEMPFAIL},
};

static bool damaged(const struct db *db, int code, const char *text, struct error *err)
{
	return error_set(err, code, "%s is damaged (%s): %s", db->path, text, db->remedy);
}

bool db_fault(struct db *db, int rc, struct error *err)
{
	db->answer = DB_WRONG;
	int code = EX_SOFTWARE;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (answers[i].sqlite != (rc & 0xff))
			continue;
		db->answer = answers[i].answer;
		code = answers[i].code;
	}
	if ((rc & 0xff) == SQLITE_INTERRUPT && db->over) {
		db->over = false;
		db->answer = DB_CORRUPT;
		return error_set(err, EX_DATAERR, "%s: a statement was ended after %lld steps",
		                 db->path, (long long)db->ops_max);
	}
	bool current = db->handle && sqlite3_extended_errcode(db->handle) == rc;
	const char *text = current ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
	if (db->answer == DB_CORRUPT && db->remedy != NULL)
		return damaged(db, code, text, err);
	return error_set(err, code, "%s: %s", db->path, text);
}

enum db_answer db_answer(const struct db *db)
{
	return db->answer;
}

void db_answer_clear(struct db *db)
{
	db->answer = DB_FINE;
}

bool db_input_fault(const struct db *db, const struct error *err)
{
	return (db->answer == DB_FINE || db->answer == DB_CONSTRAINT) &&
	       (err->code == EX_DATAERR || err->code == EX_NOPERM || err->code == EX_NOINPUT);
}

/* -- statements -------------------------------------------------------------------------------- */

static size_t slot_of(const char *sql)
{
	uintptr_t address = (uintptr_t)sql;
	return (size_t)((address >> 3 ^ address >> 11) % DB_SLOTS);
}

static void prepare(struct db_query *query, unsigned flags)
{
	query->rc =
	        sqlite3_prepare_v3(query->db->handle, query->sql, -1, flags, &query->stmt, NULL);
}

static struct db_query *new_query(struct db *db, const char *sql, struct db_query **list)
{
	struct db_query *query = mem_alloc(sizeof *query);
	*query = (struct db_query){.db = db, .sql = sql, .next = *list};
	*list = query;
	return query;
}

struct db_query *db_query(struct db *db, const char *sql)
{
	struct db_query **slot = &db->slots[slot_of(sql)];
	struct db_query *query = *slot;
	while (query && (query->sql != sql || query->busy))
		query = query->next;
	if (query == NULL)
		query = new_query(db, sql, slot);
	/* One that couldn't be prepared (the lock was held while the schema was read) gets another
	 * try. */
	if (query->stmt == NULL)
		prepare(query, SQLITE_PREPARE_PERSISTENT);
	query->busy = true;
	return query;
}

struct db_query *db_query_once(struct db *db, const char *sql)
{
	struct db_query *query = new_query(db, sql, &db->once);
	prepare(query, 0);
	query->once = query->busy = true;
	return query;
}

void db_query_free(struct db_query *query)
{
	(void)sqlite3_finalize(query->stmt);
	free(query);
}

/* Ready for the next use; one made for once stays until db_finish(), so that it may be run
 * again. */
static void end(struct db_query *query)
{
	if (query->stmt) {
		(void)sqlite3_reset(query->stmt);
		(void)sqlite3_clear_bindings(query->stmt);
		query->rc = SQLITE_OK;
	}
	query->ops = 0;
	query->busy = query->once;
}

static void finish_once(struct db_query *query)
{
	struct db_query **at = &query->db->once;
	while (*at != query)
		at = &(*at)->next;
	*at = query->next;
	db_query_free(query);
}

void db_finish(struct db_query *query)
{
	if (query == NULL)
		return;
	if (query->once)
		finish_once(query);
	else if (query->busy)
		end(query);
}

/* -- bindings ---------------------------------------------------------------------------------- */

static void note(struct db_query *query, int rc)
{
	if (query->rc == SQLITE_OK)
		query->rc = rc;
}

void db_bind_text(struct db_query *query, int i, const char *text)
{
	if (text)
		db_bind_text_n(query, i, text, strlen(text));
	else
		db_bind_null(query, i);
}

void db_bind_text_n(struct db_query *query, int i, const char *text, size_t len)
{
	if (query->stmt)
		note(query,
		     sqlite3_bind_text64(query->stmt, i, text, len, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void db_bind_static(struct db_query *query, int i, const char *text, size_t len)
{
	if (query->stmt)
		note(query,
		     sqlite3_bind_text64(query->stmt, i, text, len, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_static_text(struct db_query *query, int i, const char *text)
{
	if (text)
		db_bind_static(query, i, text, strlen(text));
	else
		db_bind_null(query, i);
}

void db_bind_static_blob(struct db_query *query, int i, const void *bytes, size_t len)
{
	if (query->stmt)
		note(query,
		     sqlite3_bind_blob64(query->stmt, i, bytes ? bytes : "", len, SQLITE_STATIC));
}

void db_bind_int(struct db_query *query, int i, int64_t value)
{
	if (query->stmt)
		note(query, sqlite3_bind_int64(query->stmt, i, value));
}

void db_bind_blob(struct db_query *query, int i, const void *bytes, size_t len)
{
	if (query->stmt)
		note(query, sqlite3_bind_blob64(query->stmt, i, bytes ? bytes : "", len,
		                                SQLITE_TRANSIENT));
}

void db_bind_null(struct db_query *query, int i)
{
	if (query->stmt)
		note(query, sqlite3_bind_null(query->stmt, i));
}

void db_bind_instant(struct db_query *query, int i, struct instant t)
{
	if (instant_is_none(t))
		db_bind_null(query, i);
	else
		db_bind_int(query, i, t.ms);
}

void db_bind_day(struct db_query *query, int i, struct day day)
{
	char text[DAY_TEXT_MAX];
	db_bind_text(query, i, day_is_none(day) ? NULL : day_format(day, text));
}

/* -- stepping ---------------------------------------------------------------------------------- */

enum db_step db_step(struct db_query *query, struct error *err)
{
	query->db->stepped = query;
	int rc = query->rc == SQLITE_OK ? sqlite3_step(query->stmt) : query->rc;
	query->db->stepped = NULL;
	if (rc == SQLITE_ROW)
		return DB_ROW;
	if (rc != SQLITE_DONE)
		(void)db_fault(query->db, rc, err);
	end(query);
	return rc == SQLITE_DONE ? DB_DONE : DB_FAULT;
}

bool db_run(struct db_query *query, struct error *err)
{
	enum db_step step;
	while ((step = db_step(query, err)) == DB_ROW)
		;
	return step == DB_DONE;
}

bool db_run_int(struct db_query *query, int64_t none, int64_t *ret, struct error *err)
{
	enum db_step step = db_step(query, err);
	if (step == DB_FAULT)
		return false;
	*ret = step == DB_ROW && !db_is_null(query, 0) ? db_int(query, 0) : none;
	if (step == DB_ROW)
		end(query);
	return true;
}

/* -- columns ----------------------------------------------------------------------------------- */

const char *db_peek_text(struct db_query *query, int column, size_t *ret_len)
{
	const char *text = (const char *)sqlite3_column_text(query->stmt, column);
	if (ret_len)
		*ret_len = text ? (size_t)sqlite3_column_bytes(query->stmt, column) : 0;
	return text;
}

const void *db_peek_blob(struct db_query *query, int column, size_t *ret_len)
{
	const void *bytes = sqlite3_column_blob(query->stmt, column);
	*ret_len = (size_t)sqlite3_column_bytes(query->stmt, column);
	return bytes;
}

const char *db_text_or_null(struct db_query *query, int column, struct arena *arena)
{
	size_t len;
	const char *text = db_peek_text(query, column, &len);
	return text ? arena_strndup(arena, text, len) : NULL;
}

const char *db_text(struct db_query *query, int column, struct arena *arena)
{
	size_t len;
	const char *text = db_peek_text(query, column, &len);
	return len > 0 ? arena_strndup(arena, text, len) : "";
}

int64_t db_int(struct db_query *query, int column)
{
	return sqlite3_column_int64(query->stmt, column);
}

bool db_is_null(struct db_query *query, int column)
{
	return sqlite3_column_type(query->stmt, column) == SQLITE_NULL;
}

struct instant db_instant(struct db_query *query, int column)
{
	return db_is_null(query, column) ? INSTANT_NONE : (struct instant){db_int(query, column)};
}

struct day db_day(struct db_query *query, int column)
{
	struct day day = DAY_NONE;
	const char *text = db_peek_text(query, column, NULL);
	if (text)
		(void)day_parse(text, &day);
	return day;
}

/* -- the connection ---------------------------------------------------------------------------- */

bool db_exec(struct db *db, const char *sql, struct error *err)
{
	db->ops = 0;
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK || db_fault(db, rc, err);
}

bool db_in_transaction(const struct db *db)
{
	return sqlite3_get_autocommit(db->handle) == 0;
}

int64_t db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes64(db->handle);
}

int64_t db_data_version(struct db *db)
{
	int64_t version;
	return db_run_int(db_query(db, "PRAGMA data_version"), -1, &version, NULL) ? version : -1;
}

bool db_check(struct db *db, struct error *err)
{
	struct db_query *query = db_query(db, "PRAGMA quick_check(1)");
	enum db_step step = db_step(query, err);
	if (step == DB_FAULT)
		return false;
	const char *text = step == DB_ROW ? db_peek_text(query, 0, NULL) : NULL;
	bool good = text && strcmp(text, "ok") == 0;
	if (!good)
		(void)damaged(db, EX_DATAERR, text ? text : "no answer", err);
	db_finish(query);
	return good;
}

const char *db_path(const struct db *db)
{
	return db->path;
}
