/* SPDX-License-Identifier: MIT */
/*
 * Versions of a database's schema. A file moves forward when it is opened, and all steps are one
 * transaction. A cluster's file is the exception: its copies have to be equal at each entry of the
 * journal, so it moves where an entry says so (engine/replica.c), on the owner's machine and on the
 * others alike, and until then it is only followed.
 */
#include "db/db.h"

#include "db/db_private.h"

#include <sysexits.h>

/* Whose file it is: ours, nobody's yet (nothing in it), or another program's. */
static bool check_owner(struct db *db, const struct db_schema *schema, int64_t *ret_version,
                        struct error *err)
{
	int64_t id, tables, version;
	if (!db_run_int(db_query(db, "PRAGMA application_id"), 0, &id, err) ||
	    !db_run_int(db_query(db, "PRAGMA user_version"), 0, &version, err) ||
	    !db_run_int(db_query(db, "SELECT count(*) FROM sqlite_schema"), 0, &tables, err))
		return false;
	bool fresh = id == 0 && version == 0 && tables == 0;
	if (!fresh && (uint32_t)id != schema->application_id)
		return error_set(err, EX_DATAERR, "%s is a database, but not dispatchd's %s",
		                 db->path, schema->name);
	if (!db_too_new(db, schema, version, err))
		return false;
	*ret_version = version;
	return true;
}

static bool migrate_one(struct db *db, const struct db_schema *schema, size_t version,
                        struct error *err)
{
	return db_exec(db, schema->migrations[version - 1], err) &&
	       (schema->migrated == NULL ||
	        schema->migrated(db, version, version == schema->n_migrations, err));
}

static bool set_numbers(struct db *db, const struct db_schema *schema, int64_t version,
                        struct error *err)
{
	char numbers[96];
	(void)sqlite3_snprintf(sizeof numbers, numbers,
	                       "PRAGMA application_id = %u; PRAGMA user_version = %u",
	                       schema->application_id, (unsigned)version);
	return db_exec(db, numbers, err);
}

/* All steps in one transaction with the new number: a crash leaves the old version whole. Another
 * may be migrating at the same time, so what is left to do is asked again under the lock. */
static bool migrate_to(struct db *db, const struct db_schema *schema, int64_t last,
                       struct error *err)
{
	int64_t version;
	if (!db_begin(db, err))
		return false;
	bool good =
	        check_owner(db, schema, &version, err) && db_schema_check(db, schema, version, err);
	bool behind = good && version < last;
	for (; good && version < last; version++)
		good = migrate_one(db, schema, (size_t)version + 1, err);
	if (good && (!behind || set_numbers(db, schema, last, err)))
		return db_commit(db, err);
	db_rollback(db);
	return false;
}

/* -- at the opening ---------------------------------------------------------------------------- */

struct found {
	int64_t version;
	bool may_follow; /* it is an older one that can be a cluster's */
	int64_t follows; /* it is */
};

static bool look_for_cluster(struct db *db, const struct db_schema *schema, struct found *ret,
                             struct error *err)
{
	ret->may_follow = schema->in_cluster && ret->version >= schema->cluster_version &&
	                  ret->version < (int64_t)schema->n_migrations;
	ret->follows = 0;
	return !ret->may_follow ||
	       db_run_int(db_query(db, schema->in_cluster), 0, &ret->follows, err);
}

/* In one view: another who is just making it must not show half of it. */
static bool look(struct db *db, const struct db_schema *schema, struct found *ret,
                 struct error *err)
{
	if (!db_begin_read(db, err))
		return false;
	bool good = check_owner(db, schema, &ret->version, err) &&
	            (ret->version == (int64_t)schema->n_migrations ||
	             db_schema_check(db, schema, ret->version, err)) &&
	            look_for_cluster(db, schema, ret, err);
	db_end_read(db);
	return good;
}

bool db_bring_forward(struct db *db, const struct db_schema *schema, enum db_mode mode,
                      struct error *err)
{
	struct found found;
	int64_t last = (int64_t)schema->n_migrations;
	if (!look(db, schema, &found, err))
		return false;
	if (found.may_follow && mode == DB_FOLLOW)
		return db_schema_trust(db, schema, found.version, err);
	if (found.follows && mode != DB_OWN)
		return error_set(err, EX_TEMPFAIL,
		                 "%s is a cluster's and of schema %lld, which becomes %lld when a "
		                 "machine with this version of dispatchd owns the cluster; until "
		                 "then, look on its owner",
		                 db->path, (long long)found.version, (long long)last);
	if (found.version < last && !migrate_to(db, schema, last, err))
		return false;
	return db_schema_trust(db, schema, last, err);
}

/* -- while it follows -------------------------------------------------------------------------- */

int64_t db_version(const struct db *db)
{
	return db->version;
}

bool db_is_latest(const struct db *db)
{
	return db->version == (int64_t)db->schema->n_migrations;
}

static int swap(struct db *db, int setting, int to)
{
	int was = 0;
	(void)sqlite3_db_config(db->handle, setting, -1, &was);
	(void)sqlite3_db_config(db->handle, setting, to, NULL);
	return was;
}

bool db_migrate(struct db *db, int64_t version, struct error *err)
{
	if (version <= db->version)
		return true;
	if (!db_too_new(db, db->schema, version, err))
		return false;
	const struct db_schema *schema = db->schema;
	int triggers = swap(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1);
	int keys = swap(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1);
	bool good = migrate_to(db, schema, version, err);
	if (good) {
		db->schema = NULL; /* it isn't what was compared before */
		good = db_schema_trust(db, schema, version, err);
		db->schema = schema;
	}
	(void)swap(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, triggers);
	(void)swap(db, SQLITE_DBCONFIG_ENABLE_FKEY, keys);
	return good;
}
