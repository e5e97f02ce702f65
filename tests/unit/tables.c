/* SPDX-License-Identifier: MIT */
#include "tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>

/* By their first two columns, or the one that there is. */
static sqlite3_stmt *all_rows(sqlite3 *db, const char *table)
{
	sqlite3_stmt *q = NULL;
	char sql[128];
	for (int columns = 2; q == NULL && columns > 0; columns--) {
		(void)snprintf(sql, sizeof sql, "SELECT * FROM \"%s\" ORDER BY 1%s", table,
		               columns == 2 ? ", 2" : "");
		(void)sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	}
	assert_non_null(q);
	return q;
}

static void print_table(sqlite3 *db, const char *table, struct buf *ret)
{
	sqlite3_stmt *q = all_rows(db, table);
	while (sqlite3_step(q) == SQLITE_ROW) {
		buf_printf(ret, "%s", table);
		for (int i = 0; i < sqlite3_column_count(q); i++) {
			buf_addc(ret, '|');
			buf_add(ret, sqlite3_column_blob(q, i), (size_t)sqlite3_column_bytes(q, i));
		}
		buf_addc(ret, '\n');
	}
	sqlite3_finalize(q);
}

void tables_print(const char *path, struct buf *ret)
{
	sqlite3 *db;
	sqlite3_stmt *tables;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
	                                    "SELECT name FROM sqlite_schema WHERE type = 'table' "
	                                    "AND name NOT LIKE 'sqlite_%' ORDER BY name",
	                                    -1, &tables, NULL),
	                 SQLITE_OK);
	while (sqlite3_step(tables) == SQLITE_ROW)
		print_table(db, (const char *)sqlite3_column_text(tables, 0), ret);
	sqlite3_finalize(tables);
	sqlite3_close(db);
}

int64_t tables_number(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	return n;
}
