/* SPDX-License-Identifier: MIT */
/* Changes of a database, recorded and made again elsewhere, by SQLite's session extension. */
#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "db/db_record.h"

#include "db/db_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct db_record {
	struct db *db;
	const char *const *left_out;
	sqlite3_session *session;
};

/* SQLite asks for each table once. */
static int is_recorded(void *arg, const char *table)
{
	const struct db_record *record = arg;
	for (const char *const *name = record->left_out; name && *name; name++) {
		if (strcmp(*name, table) == 0)
			return 0;
	}
	return 1;
}

struct db_record *db_record_begin(struct db *db, const char *const *left_out, struct error *err)
{
	struct db_record *record = mem_alloc(sizeof *record);
	record->db = db;
	record->left_out = left_out;
	int rc = sqlite3session_create(db->handle, "main", &record->session);
	if (rc == SQLITE_OK) {
		sqlite3session_table_filter(record->session, is_recorded, record);
		rc = sqlite3session_attach(record->session, NULL);
	}
	if (rc == SQLITE_OK)
		return record;
	(void)db_fault(db, rc, err);
	return db_record_free(record);
}

bool db_record_take(struct db_record *record, struct buf *ret, struct error *err)
{
	int len = 0;
	void *changes = NULL;
	int rc = sqlite3session_patchset(record->session, &len, &changes);
	if (rc == SQLITE_OK && len > 0)
		buf_add(ret, changes, (size_t)len);
	sqlite3_free(changes);
	return rc == SQLITE_OK || db_fault(record->db, rc, err);
}

struct taking {
	struct buf *ret;
	size_t start, max;
	bool whole;
};

static int take_some(void *arg, const void *bytes, int len)
{
	struct taking *taking = arg;
	taking->whole = (size_t)len <= taking->max - (taking->ret->len - taking->start);
	if (taking->whole)
		buf_add(taking->ret, bytes, (size_t)len);
	return taking->whole ? SQLITE_OK : SQLITE_TOOBIG;
}

bool db_record_take_upto(struct db_record *record, size_t max, struct buf *ret, bool *ret_whole,
                         struct error *err)
{
	struct taking taking = {.ret = ret, .start = ret->len, .max = max, .whole = true};
	int rc = sqlite3session_patchset_strm(record->session, take_some, &taking);
	*ret_whole = taking.whole;
	if (!taking.whole)
		ret->len = taking.start;
	return rc == SQLITE_OK || !taking.whole || db_fault(record->db, rc, err);
}

struct db_record *db_record_free(struct db_record *record)
{
	if (record != NULL && record->session != NULL)
		sqlite3session_delete(record->session);
	free(record);
	return NULL;
}

/* ---- following ---- */

struct follow {
	struct db *db;
	char why[160]; /* "" while all fits */
};

/* SQLite passes over a table that isn't there: here it is a fault. */
static int is_there(void *arg, const char *table)
{
	struct follow *follow = arg;
	struct db_query *q = db_query(
	        follow->db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1");
	int64_t there = 0;
	db_bind_text(q, 1, table);
	if (!db_run_int(q, 0, &there, NULL) || there == 0)
		(void)sqlite3_snprintf(sizeof follow->why, follow->why, "there is no table %s",
		                       table);
	return there != 0;
}

static const char *conflict_name(int what)
{
	switch (what) {
	case SQLITE_CHANGESET_NOTFOUND:
		return "a row is missing";
	case SQLITE_CHANGESET_CONFLICT:
		return "a key is taken";
	case SQLITE_CHANGESET_CONSTRAINT:
		return "a constraint is broken";
	default:
		return "a row is another";
	}
}

static int on_conflict(void *arg, int what, sqlite3_changeset_iter *at)
{
	struct follow *follow = arg;
	const char *table = "";
	int columns, operation, indirect;
	(void)sqlite3changeset_op(at, &table, &columns, &operation, &indirect);
	if (follow->why[0] == '\0')
		(void)sqlite3_snprintf(sizeof follow->why, follow->why, "%s in table %s",
		                       conflict_name(what), table);
	return SQLITE_CHANGESET_ABORT;
}

bool db_follow_begin(struct db *db, struct error *err)
{
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return db_exec(db, "PRAGMA foreign_keys = OFF", err);
}

bool db_follow(struct db *db, const void *changes, size_t len, struct error *err)
{
	struct follow follow = {.db = db};
	if (len == 0)
		return true;
	int rc = len > INT_MAX
	                 ? SQLITE_TOOBIG
	                 : sqlite3changeset_apply(db->handle, (int)len, (void *)(uintptr_t)changes,
	                                          is_there, on_conflict, &follow);
	if (rc == SQLITE_OK && follow.why[0] == '\0')
		return true;
	if (rc != SQLITE_OK && rc != SQLITE_ABORT && rc != SQLITE_CORRUPT && rc != SQLITE_TOOBIG)
		return db_fault(db, rc, err);
	db->answer = DB_CORRUPT;
	return error_set(err, EX_DATAERR, "%s: doesn't follow: %s", db->path,
	                 follow.why[0] ? follow.why : "these changes can't be read");
}
