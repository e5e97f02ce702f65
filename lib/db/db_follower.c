/* SPDX-License-Identifier: MIT */
/*
 * Recorded changes made again by statements that are kept. sqlite3changeset_apply() prepares four
 * for each table each time, which is most of its work where the changes are few. What it does
 * beyond (a change that breaks a constraint is tried again behind the others, and it says what
 * doesn't fit) is left to it: here that ends the attempt.
 */
#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "db/db_private.h"
#include "db/db_record.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

struct made {
	struct made *next;
	int operation;
	uint64_t columns; /* those that an UPDATE sets, a bit each */
	struct db_query *query;
};

struct table {
	struct table *next;
	char *name;
	int n; /* columns; 0: not one that these statements are for */
	char *columns[COLUMNS_MAX];
	bool key[COLUMNS_MAX]; /* of the primary key */
	struct made *made;
};

struct db_follower {
	struct db *db;
	struct table *tables;
	int64_t cookie; /* of the schema that the tables are of */
};

struct db_follower *db_follower_new(struct db *db)
{
	struct db_follower *follower = mem_alloc(sizeof *follower);
	follower->db = db;
	return follower;
}

static void forget(struct db_follower *follower)
{
	for (struct table *table; (table = follower->tables) != NULL;) {
		follower->tables = table->next;
		for (struct made *made; (made = table->made) != NULL;) {
			table->made = made->next;
			db_finish(made->query);
			free(made);
		}
		for (int i = 0; i < table->n; i++)
			free(table->columns[i]);
		free(table->name);
		free(table);
	}
}

struct db_follower *db_follower_free(struct db_follower *follower)
{
	if (follower != NULL)
		forget(follower);
	free(follower);
	return NULL;
}

/* ---- tables ---- */

static void read_columns(struct db *db, struct table *table)
{
	struct db_query *q =
	        db_query(db, "SELECT name, pk > 0 FROM pragma_table_info(?1) ORDER BY cid");
	int n = 0;
	enum db_step step;
	db_bind_text(q, 1, table->name);
	while ((step = db_step(q, NULL)) == DB_ROW) {
		if (n < COLUMNS_MAX) {
			table->columns[n] = mem_strdup(db_peek_text(q, 0, NULL));
			table->key[n] = db_int(q, 1) != 0;
			table->n = n + 1;
		}
		n++;
	}
	for (; (step == DB_FAULT || n > COLUMNS_MAX) && table->n > 0; table->n--)
		free(table->columns[table->n - 1]);
}

static struct table *find_table(struct db_follower *follower, const char *name)
{
	struct table *table = follower->tables;
	while (table != NULL && strcmp(table->name, name) != 0)
		table = table->next;
	if (table != NULL)
		return table;
	table = mem_alloc(sizeof *table);
	table->name = mem_strdup(name);
	table->next = follower->tables;
	follower->tables = table;
	read_columns(follower->db, table);
	return table;
}

/* ---- statements: parameter i + 1 is column i, as it was for a key and as it becomes else ---- */

static void add_columns(sqlite3_str *sql, const struct table *table, uint64_t columns,
                        const char *between)
{
	bool first = true;
	for (int i = 0; i < table->n; i++) {
		if ((columns >> i & 1) == 0)
			continue;
		sqlite3_str_appendf(sql, "%s\"%w\" = ?%d", first ? "" : between, table->columns[i],
		                    i + 1);
		first = false;
	}
}

static uint64_t key_of(const struct table *table)
{
	uint64_t key = 0;
	for (int i = 0; i < table->n; i++)
		key |= (uint64_t)table->key[i] << i;
	return key;
}

static void add_statement(sqlite3_str *sql, const struct table *table, int operation,
                          uint64_t columns)
{
	if (operation == SQLITE_INSERT) {
		sqlite3_str_appendf(sql, "INSERT INTO main.\"%w\" VALUES (", table->name);
		for (int i = 0; i < table->n; i++)
			sqlite3_str_appendf(sql, "%s?%d", i > 0 ? ", " : "", i + 1);
		sqlite3_str_appendall(sql, ")");
		return;
	}
	if (operation == SQLITE_UPDATE) {
		sqlite3_str_appendf(sql, "UPDATE main.\"%w\" SET ", table->name);
		add_columns(sql, table, columns, ", ");
	} else {
		sqlite3_str_appendf(sql, "DELETE FROM main.\"%w\"", table->name);
	}
	sqlite3_str_appendall(sql, " WHERE ");
	add_columns(sql, table, key_of(table), " AND ");
}

static struct db_query *statement(struct db_follower *follower, struct table *table, int operation,
                                  uint64_t columns)
{
	struct made *made = table->made;
	while (made != NULL && (made->operation != operation || made->columns != columns))
		made = made->next;
	if (made != NULL)
		return made->query;
	sqlite3_str *text = sqlite3_str_new(NULL);
	add_statement(text, table, operation, columns);
	char *sql = sqlite3_str_finish(text);
	made = mem_alloc(sizeof *made);
	*made = (struct made){table->made, operation, columns,
	                      db_query_once(follower->db, sql ? sql : "")};
	table->made = made;
	sqlite3_free(sql);
	return made->query;
}

/* ---- changes ---- */

/* Words and bytes are the changes' own and stay where they are until the next change. */
static bool bind(struct db_query *q, int column, sqlite3_value *value)
{
	int i = column + 1;
	switch (sqlite3_value_type(value)) {
	case SQLITE_TEXT:
		db_bind_static(q, i, (const char *)sqlite3_value_text(value),
		               (size_t)sqlite3_value_bytes(value));
		return true;
	case SQLITE_BLOB:
		db_bind_static_blob(q, i, sqlite3_value_blob(value),
		                    (size_t)sqlite3_value_bytes(value));
		return true;
	default:
		return q->stmt != NULL && sqlite3_bind_value(q->stmt, i, value) == SQLITE_OK;
	}
}

struct change {
	sqlite3_changeset_iter *at;
	struct table *table;
	int operation;
	sqlite3_value *values[COLUMNS_MAX]; /* NULL: not of this change */
	uint64_t set;                       /* columns that an UPDATE sets */
};

static bool read_values(struct change *change)
{
	const struct table *table = change->table;
	change->set = 0;
	for (int i = 0; i < table->n; i++) {
		sqlite3_value **value = &change->values[i];
		bool old = change->operation == SQLITE_DELETE ||
		           (change->operation == SQLITE_UPDATE && table->key[i]);
		*value = NULL;
		if (change->operation == SQLITE_DELETE && !table->key[i])
			continue;
		if ((old ? sqlite3changeset_old(change->at, i, value)
		         : sqlite3changeset_new(change->at, i, value)) != SQLITE_OK)
			return false;
		if (*value == NULL && (old || change->operation == SQLITE_INSERT))
			return false;
		if (*value != NULL && change->operation == SQLITE_UPDATE && !old)
			change->set |= (uint64_t)1 << i;
	}
	return change->operation != SQLITE_UPDATE || change->set != 0;
}

static bool make_change(struct db_follower *follower, struct change *change)
{
	if (!read_values(change))
		return false;
	struct db_query *q = statement(follower, change->table, change->operation, change->set);
	for (int i = 0; i < change->table->n; i++)
		if (change->values[i] != NULL && !bind(q, i, change->values[i]))
			return false;
	return db_run(q, NULL) && sqlite3_changes(follower->db->handle) == 1;
}

/* A table as the changes know it: so many columns, the same ones its key. */
static bool is_same(sqlite3_changeset_iter *at, const struct table *table, int columns)
{
	unsigned char *key = NULL; /* a column's place in the key, or 0 */
	bool same = table->n > 0 && table->n == columns &&
	            sqlite3changeset_pk(at, &key, &columns) == SQLITE_OK;
	for (int i = 0; same && i < table->n; i++)
		same = (key[i] != 0) == table->key[i];
	return same;
}

static bool next_table(struct db_follower *follower, struct change *change, const char *name,
                       int columns)
{
	if (change->table != NULL && strcmp(change->table->name, name) == 0 &&
	    change->table->n == columns)
		return true;
	change->table = find_table(follower, name);
	return is_same(change->at, change->table, columns);
}

static bool make_changes(struct db_follower *follower, sqlite3_changeset_iter *at)
{
	struct change change = {.at = at};
	const char *name;
	int columns, indirect, rc;
	while ((rc = sqlite3changeset_next(at)) == SQLITE_ROW) {
		rc = sqlite3changeset_op(at, &name, &columns, &change.operation, &indirect);
		if (rc != SQLITE_OK || !next_table(follower, &change, name, columns) ||
		    !make_change(follower, &change))
			return false;
	}
	return rc == SQLITE_DONE;
}

bool db_follower_make(struct db_follower *follower, const void *changes, size_t len)
{
	sqlite3_changeset_iter *at = NULL;
	if (len == 0)
		return true;
	if (follower->cookie != follower->db->cookie)
		forget(follower);
	follower->cookie = follower->db->cookie;
	bool good =
	        len <= INT_MAX &&
	        sqlite3changeset_start(&at, (int)len, (void *)(uintptr_t)changes) == SQLITE_OK &&
	        make_changes(follower, at);
	good &= sqlite3changeset_finalize(at) == SQLITE_OK;
	if (!good)
		db_answer_clear(follower->db);
	return good;
}
