/* SPDX-License-Identifier: MIT */
/* Transactions, each of which begins by looking whether the schema is still the one that was
 * compared. */
#include "db/db.h"

#include "db/db_private.h"

/* SQLite ends a transaction by itself after some faults (disk full): then there is nothing left to
 * do. */
void db_rollback(struct db *db)
{
	if (!db_in_transaction(db))
		return;
	enum db_answer answer = db->answer;
	if (!db_run(db_query(db, "ROLLBACK"), NULL) && db_in_transaction(db))
		bug("%s: a transaction that can't be rolled back", db->path);
	db->answer = answer;
}

bool db_begin(struct db *db, struct error *err)
{
	if (!db_run(db_query(db, "BEGIN IMMEDIATE"), err))
		return false;
	if (db_schema_still(db, err))
		return true;
	db_rollback(db);
	return false;
}

bool db_commit(struct db *db, struct error *err)
{
	if (db_run(db_query(db, "COMMIT"), err))
		return true;
	db_rollback(db);
	return false;
}

/* The view is that of the first read, so one is made here: what comes later sees the same. */
bool db_begin_read(struct db *db, struct error *err)
{
	int64_t any;
	if (!db_run(db_query(db, "BEGIN"), err))
		return false;
	if (db_run_int(db_query(db, "SELECT 1 FROM sqlite_schema LIMIT 1"), 0, &any, err) &&
	    db_schema_still(db, err))
		return true;
	db_rollback(db);
	return false;
}

void db_end_read(struct db *db)
{
	db_rollback(db);
}

bool db_schema_trust(struct db *db, const struct db_schema *schema, int64_t version,
                     struct error *err)
{
	if (!db_begin_read(db, err))
		return false;
	bool good =
	        db_schema_cookie(db, &db->cookie, err) && db_schema_check(db, schema, version, err);
	db_end_read(db);
	if (good) {
		db->schema = schema;
		db->version = version;
	}
	return good;
}
