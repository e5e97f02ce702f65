/* SPDX-License-Identifier: MIT */
/*
 * Whether a database's schema is the one that its migrations make. The office, and whoever is in
 * the group, may write to the file: a trigger, a view in place of a table or an index on an
 * expression planted there would run within our statements. So the schema is compared, text by
 * text, with that of an empty database that the same migrations made, or its digest with that
 * one's: at the opening, and in each transaction that finds it changed since.
 *
 * What isn't ours and is not a fault: SQLite's own tables (ANALYZE's), and plain tables that refer
 * to none of ours, with their indexes. Nothing of ours runs them.
 */
#include "db/db_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct object {
	char *type, *name, *table, *sql;
};

struct objects {
	struct object *rows;
	size_t n, cap;
};

static void objects_free(struct objects *objects)
{
	for (size_t i = 0; i < objects->n; i++) {
		free(objects->rows[i].type);
		free(objects->rows[i].name);
		free(objects->rows[i].table);
		free(objects->rows[i].sql);
	}
	free(objects->rows);
	*objects = (struct objects){0};
}

static char *column(sqlite3_stmt *stmt, int i)
{
	const char *text = (const char *)sqlite3_column_text(stmt, i);
	return mem_strdup(text ? text : "");
}

static struct object *add(struct objects *objects)
{
	if (objects->n == objects->cap) {
		objects->cap = objects->cap ? objects->cap * 2 : 64;
		objects->rows = mem_realloc(objects->rows, objects->cap, sizeof *objects->rows);
	}
	return &objects->rows[objects->n++];
}

/* In the order of type and name. SQLite's own tables, and the indexes that it makes for UNIQUE, are
 * left out. */
static int read_objects(sqlite3 *handle, struct objects *ret)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(
	        handle,
	        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE NOT (type IN ('table', "
	        "'index') AND substr(name, 1, 7) = 'sqlite_') ORDER BY type, name",
	        -1, &stmt, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		*add(ret) = (struct object){column(stmt, 0), column(stmt, 1), column(stmt, 2),
		                            column(stmt, 3)};
		rc = SQLITE_OK;
	}
	int end = sqlite3_finalize(stmt);
	return end != SQLITE_OK ? end : rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* What the first `version` migrations make. */
static int expected_objects(const struct db_schema *schema, int64_t version, struct objects *ret)
{
	sqlite3 *memory = NULL;
	int rc = sqlite3_open_v2(":memory:", &memory, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	                         NULL);
	if (rc == SQLITE_OK && schema->connect && !schema->connect(memory))
		rc = SQLITE_ERROR;
	for (int64_t i = 0; rc == SQLITE_OK && i < version; i++)
		rc = sqlite3_exec(memory, schema->migrations[i], NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = read_objects(memory, ret);
	(void)sqlite3_close(memory);
	return rc;
}

static bool is_table_of(const struct objects *objects, const char *name)
{
	for (size_t i = 0; i < objects->n; i++) {
		if (strcmp(objects->rows[i].type, "table") == 0 &&
		    sqlite3_stricmp(objects->rows[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool fault(struct db *db, const char *says, const struct object *object, struct error *err)
{
	db->answer = DB_CORRUPT;
	return error_set(err, EX_DATAERR,
	                 "%s: the %s \"%s\" %s; the file is not used until that is fixed", db->path,
	                 object->type, object->name, says);
}

/* An object that none of our migrations made. */
static bool may_be_there(struct db *db, const struct objects *expected, const struct object *object,
                         struct error *err)
{
	bool index = strcmp(object->type, "index") == 0;
	bool plain = index || (strcmp(object->type, "table") == 0 &&
	                       sqlite3_strnicmp(object->sql, "CREATE TABLE", 12) == 0);
	if (plain && !(index && is_table_of(expected, object->table)))
		return true;
	if (strcmp(object->type, "view") == 0 || strcmp(object->type, "table") == 0)
		return fault(db, "is not dispatchd's", object, err);
	char says[200];
	(void)sqlite3_snprintf(sizeof says, says, "on \"%s\" is not dispatchd's", object->table);
	return fault(db, says, object, err);
}

static int order(const struct object *a, const struct object *b)
{
	int by_type = strcmp(a->type, b->type);
	return by_type ? by_type : strcmp(a->name, b->name);
}

static bool compare(struct db *db, const struct objects *expected, const struct objects *found,
                    struct error *err)
{
	size_t e = 0, f = 0;
	while (e < expected->n || f < found->n) {
		int which = e == expected->n ? 1
		            : f == found->n  ? -1
		                             : order(&expected->rows[e], &found->rows[f]);
		if (which < 0)
			return fault(db, "is missing", &expected->rows[e], err);
		if (which > 0 && !may_be_there(db, expected, &found->rows[f], err))
			return false;
		if (which == 0 && (strcmp(expected->rows[e].sql, found->rows[f].sql) != 0 ||
		                   strcmp(expected->rows[e].table, found->rows[f].table) != 0))
			return fault(db, "is not as dispatchd made it", &found->rows[f], err);
		e += which == 0;
		f++;
	}
	return true;
}

/* Their rows would go, or keep ours from going, with each record that is removed. */
static bool none_refers_to_ours(struct db *db, const struct objects *expected,
                                const struct objects *found, struct error *err)
{
	bool good = true;
	for (size_t i = 0; good && i < found->n; i++) {
		const struct object *object = &found->rows[i];
		sqlite3_stmt *stmt = NULL;
		if (strcmp(object->type, "table") != 0 || is_table_of(expected, object->name))
			continue;
		int rc = sqlite3_prepare_v2(db->handle,
		                            "SELECT \"table\" FROM pragma_foreign_key_list(?1)", -1,
		                            &stmt, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_bind_text(stmt, 1, object->name, -1, SQLITE_STATIC);
		while (rc == SQLITE_OK && good && sqlite3_step(stmt) == SQLITE_ROW) {
			const char *to = (const char *)sqlite3_column_text(stmt, 0);
			if (to && is_table_of(expected, to))
				good = fault(
				        db,
				        "is not dispatchd's and refers to a table of dispatchd's",
				        object, err);
		}
		(void)sqlite3_finalize(stmt);
	}
	return good;
}

static void digest(const struct objects *objects, char *ret_hex)
{
	crypto_generichash_state state;
	unsigned char bytes[DB_DIGEST_SIZE / 2];
	(void)crypto_generichash_init(&state, NULL, 0, sizeof bytes);
	for (size_t i = 0; i < objects->n; i++) {
		const char *const texts[] = {objects->rows[i].type, objects->rows[i].name,
		                             objects->rows[i].table, objects->rows[i].sql};
		for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
			(void)crypto_generichash_update(&state, (const unsigned char *)texts[t],
			                                strlen(texts[t]) + 1);
	}
	(void)crypto_generichash_final(&state, bytes, sizeof bytes);
	(void)sodium_bin2hex(ret_hex, DB_DIGEST_SIZE, bytes, sizeof bytes);
}

/* Object by object: says which one differs, and lets a plain table of others be. */
static bool check_each(struct db *db, const struct db_schema *schema, int64_t version,
                       const struct objects *found, struct error *err)
{
	struct objects expected = {0};
	int rc = expected_objects(schema, version, &expected);
	bool good = rc == SQLITE_OK
	                    ? compare(db, &expected, found, err) &&
	                              none_refers_to_ours(db, &expected, found, err)
	                    : error_set(err, EX_SOFTWARE, "%s: the schema can't be made: %s",
	                                schema->name, sqlite3_errstr(rc));
	objects_free(&expected);
	return good;
}

/* Running the migrations takes longer than most of what a tool opens the file for, so that the
 * digest of what they make is looked at first. */
bool db_schema_check(struct db *db, const struct db_schema *schema, int64_t version,
                     struct error *err)
{
	struct objects found = {0};
	char hex[DB_DIGEST_SIZE] = "";
	int rc = read_objects(db->handle, &found);
	bool good = rc == SQLITE_OK || db_fault(db, rc, err);
	if (good && schema->digest && version == (int64_t)schema->n_migrations)
		digest(&found, hex);
	if (good && (*hex == '\0' || strcmp(hex, schema->digest) != 0))
		good = check_each(db, schema, version, &found, err);
	objects_free(&found);
	return good;
}

bool db_schema_digest(struct db *db, char *ret_hex)
{
	struct objects found = {0};
	bool good = read_objects(db->handle, &found) == SQLITE_OK;
	digest(&found, ret_hex);
	objects_free(&found);
	return good && db->schema && db->schema->digest && strcmp(ret_hex, db->schema->digest) == 0;
}

bool db_schema_cookie(struct db *db, int64_t *ret, struct error *err)
{
	return db_run_int(db_query(db, "PRAGMA schema_version"), 0, ret, err);
}

bool db_schema_still(struct db *db, struct error *err)
{
	int64_t cookie;
	if (db->schema == NULL)
		return true;
	if (!db_schema_cookie(db, &cookie, err))
		return false;
	if (cookie == db->cookie)
		return true;
	if (!db_schema_check(db, db->schema, db->version, err))
		return false;
	db->cookie = cookie;
	return true;
}
