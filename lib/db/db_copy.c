/* SPDX-License-Identifier: MIT */
/*
 * Copies of a database for backups. A copy is pages and nothing else: no statement of what is in it
 * runs, and a copy is checked without making a file beside it.
 */
#include "db/db_copy.h"

#include "base/buf.h"
#include "db/db_private.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* All of it in one step. Finishing forgets that a step found a lock in its way, so that is kept
 * here. */
static int copy_pages(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	if (backup == NULL)
		return sqlite3_errcode(to);
	int step = sqlite3_backup_step(backup, -1);
	int rc = sqlite3_backup_finish(backup);
	return rc == SQLITE_OK && step != SQLITE_DONE ? step : rc;
}

bool db_copy(struct db *db, const char *path, struct error *err)
{
	sqlite3 *to = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int rc = sqlite3_open_v2(path, &to, flags, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(to, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = copy_pages(to, db->handle);
	(void)sqlite3_close(to);
	if (rc == SQLITE_OK)
		return true;
	(void)db_fault(db, rc, err);
	return error_prefix(err, "copying to %s", path);
}

/* ---- without a schema */

static bool plain_fault(sqlite3 *handle, const char *path, int rc, struct error *err)
{
	int code = rc == SQLITE_BUSY                             ? EX_TEMPFAIL
	           : rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT ? EX_DATAERR
	           : rc == SQLITE_PERM || rc == SQLITE_READONLY  ? EX_NOPERM
	                                                         : EX_IOERR;
	return error_set(err, code, "%s: %s", path,
	                 handle != NULL ? sqlite3_errmsg(handle) : sqlite3_errstr(rc));
}

/* `file:` URI of a path (RFC 3986, section 2.1). */
static void add_uri(struct buf *uri, const char *path, const char *query)
{
	buf_printf(uri, "file:");
	for (const char *p = path; *p != '\0'; p++) {
		if (strchr("%?#", *p) != NULL)
			buf_printf(uri, "%%%02X", (unsigned char)*p);
		else
			buf_addc(uri, *p);
	}
	buf_printf(uri, "?%s", query);
}

static int open_plain(const char *path, const char *query, sqlite3 **ret)
{
	struct buf uri = {0};
	add_uri(&uri, path, query);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
	int rc = sqlite3_open_v2(buf_text(&uri), ret, flags, NULL);
	buf_free(&uri);
	if (rc == SQLITE_OK) {
		(void)sqlite3_busy_timeout(*ret, 5000);
		(void)sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	}
	return rc;
}

static bool first_finding(sqlite3 *handle, const char *path, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	const char *text =
	        rc == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	bool good = text != NULL && strcmp(text, "ok") == 0;
	if (!good && text != NULL)
		(void)error_set(err, EX_DATAERR, "%s is damaged: %s", path, text);
	else if (!good)
		(void)plain_fault(handle, path, rc, err);
	(void)sqlite3_finalize(statement);
	return good;
}

bool db_copy_check(const char *path, struct error *err)
{
	sqlite3 *handle = NULL;
	int rc = open_plain(path, "immutable=1", &handle);
	bool good = rc == SQLITE_OK ? first_finding(handle, path, err)
	                            : plain_fault(handle, path, rc, err);
	(void)sqlite3_close(handle);
	return good;
}

unsigned char *db_copy_bytes(const char *path, size_t *ret_len, struct error *err)
{
	sqlite3 *from = NULL, *to = NULL;
	sqlite3_int64 len = 0;
	unsigned char *bytes = NULL;
	int rc = open_plain(path, "mode=rw", &from);
	if (rc == SQLITE_OK)
		rc = sqlite3_open(":memory:", &to);
	if (rc == SQLITE_OK)
		rc = copy_pages(to, from);
	if (rc == SQLITE_OK)
		bytes = sqlite3_serialize(to, "main", &len, 0);
	if (bytes == NULL)
		(void)plain_fault(from, path, rc == SQLITE_OK ? SQLITE_NOMEM : rc, err);
	(void)sqlite3_close(to);
	(void)sqlite3_close(from);
	*ret_len = (size_t)len;
	return bytes;
}

void db_copy_free(unsigned char *bytes)
{
	sqlite3_free(bytes);
}
