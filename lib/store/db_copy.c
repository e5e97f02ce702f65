/* SPDX-License-Identifier: MIT */
/* A copy of a database that others go on writing to, by SQLite's own backup. */
#include "store/db_private.h"

#include <sysexits.h>

bool db_copy(struct db *db, const char *path, struct error *err)
{
	sqlite3 *to = NULL;
	int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	sqlite3_backup *backup = rc == SQLITE_OK ? sqlite3_backup_init(to, "main", db->handle, "main") : NULL;
	if (backup != NULL) {
		(void)sqlite3_backup_step(backup, -1);
		rc = sqlite3_backup_finish(backup);
	} else if (rc == SQLITE_OK) {
		rc = sqlite3_errcode(to);
	}
	(void)sqlite3_close(to);
	return rc == SQLITE_OK ||
	       error_set(err, EX_IOERR, "can't copy %s to %s: %s", db->path, path, sqlite3_errstr(rc));
}
