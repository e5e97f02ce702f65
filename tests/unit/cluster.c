/* SPDX-License-Identifier: MIT */
/* Two machines for tests of what a standby follows; see cluster.h. */
#include "cluster.h"

#include "base/buf.h"
#include "db/db_copy.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

void cluster_open(struct cluster *c, struct office *office)
{
	*c = (struct cluster){.office = office};
	(void)snprintf(c->path, sizeof c->path, "%s/copy.db", office->dir);
	office_ok(office, customers_set_role(office->store, CLUSTER_OWNER, NULL, &office->err));
	office_ok(office, db_copy(customers_db(office->store), c->path, &office->err));
	struct customers *copy = customers_open(c->path, DB_WRITE, &office->err);
	office_ok(office, copy != NULL);
	office_ok(office, customers_set_role(copy, CLUSTER_STANDBY, "east", &office->err));
	customers_close(copy);
	c->follower = customers_open_follower(c->path, &office->err);
	office_ok(office, c->follower != NULL);
}

void cluster_close(struct cluster *c)
{
	c->follower = customers_close(c->follower);
}

size_t cluster_follow(struct cluster *c)
{
	struct error *err = &c->office->err;
	struct customers_change *rows;
	size_t n;
	office_ok(c->office, customers_changes_after(c->office->store, 0, SIZE_MAX,
	                                             c->office->arena, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		office_ok(c->office, customers_follow(c->follower, rows[i].id, rows[i].bytes,
		                                      rows[i].len, err));
	if (n > 0)
		office_ok(c->office, customers_changes_drop(c->office->store, rows[n - 1].id, err));
	return n;
}

int64_t cluster_number(struct customers *store, const char *sql)
{
	struct error err;
	int64_t n = -1;
	if (!db_run_int(db_query_once(customers_db(store), sql), -1, &n, &err))
		fail_msg("%s: %s", sql, err.text);
	return n;
}

/* ---- tables */

static int64_t ask(sqlite3 *handle, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
	int64_t n = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return n;
}

static void same_rows(sqlite3 *handle, const char *table)
{
	static const char *const sides[][2] = {{"main", "copy"}, {"copy", "main"}};
	for (int i = 0; i < 2; i++) {
		char *sql = sqlite3_mprintf("SELECT count(*) FROM (SELECT * FROM %s.\"%w\" EXCEPT "
		                            "SELECT * FROM %s.\"%w\")",
		                            sides[i][0], table, sides[i][1], table);
		int64_t n = ask(handle, sql);
		sqlite3_free(sql);
		if (n != 0)
			fail_msg("%lld rows of %s are only in %s", (long long)n, table,
			         sides[i][0]);
	}
	char *sql =
	        sqlite3_mprintf("SELECT (SELECT count(*) FROM main.\"%w\") - (SELECT count(*) FROM "
	                        "copy.\"%w\")",
	                        table, table);
	assert_int_equal(ask(handle, sql), 0);
	sqlite3_free(sql);
}

/* What each machine has of its own: its role, what it keeps, how its index is stored. */
static const char tables_sql[] =
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT IN ('cluster', "
        "'cluster_change') AND (name NOT LIKE 'search_%' OR name IN ('search_text', "
        "'search_words', 'search_stale')) AND name <> 'search'";

static void same_tables(const struct cluster *c)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *tables = NULL;
	size_t n = 0;
	assert_int_equal(sqlite3_open(c->office->path, &handle), SQLITE_OK);
	char *attach = sqlite3_mprintf("ATTACH %Q AS copy", c->path);
	assert_int_equal(sqlite3_exec(handle, attach, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_free(attach);
	assert_int_equal(sqlite3_prepare_v2(handle, tables_sql, -1, &tables, NULL), SQLITE_OK);
	for (; sqlite3_step(tables) == SQLITE_ROW; n++)
		same_rows(handle, (const char *)sqlite3_column_text(tables, 0));
	assert_true(n > 35);
	(void)sqlite3_finalize(tables);
	(void)sqlite3_close(handle);
}

/* ---- search */

static const char *found(struct cluster *c, struct customers *store, const char *text)
{
	json_t *rows;
	office_ok(c->office, customers_search(store, text, BY_ALL, 1000, &rows, &c->office->err));
	return office_text(c->office, rows);
}

static void same_answers(struct cluster *c)
{
	static const char *const texts[] = {"haul",  "müller", "555", "example.com", "10",
	                                    "Sam",   "denver", "bin", "router",      "anna",
	                                    "mail1", "a-7",    "x1",  "first street"};
	struct customers *copy = customers_open(c->path, DB_READ, &c->office->err);
	json_t *rows[2];
	office_ok(c->office, copy != NULL);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_string_equal(found(c, copy, texts[i]), found(c, c->office->store, texts[i]));
	office_ok(c->office, customers_duplicates(copy, 1000, &rows[0], &c->office->err));
	office_ok(c->office,
	          customers_duplicates(c->office->store, 1000, &rows[1], &c->office->err));
	assert_true(json_equal(rows[0], rows[1]));
	json_decref(rows[0]);
	json_decref(rows[1]);
	customers_close(copy);
}

void cluster_equal(struct cluster *c)
{
	same_tables(c);
	same_answers(c);
	office_ok(c->office,
	          db_exec(customers_db(c->follower),
	                  "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)",
	                  &c->office->err));
	office_ok(c->office, db_check(customers_db(c->follower), &c->office->err));
}
