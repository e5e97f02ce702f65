/* SPDX-License-Identifier: MIT */
/* Changes of a database that are recorded and made again in a copy. */
#include "db/db_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

static const char tables[] =
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT UNIQUE) STRICT;"
        "CREATE TABLE child (parent INTEGER NOT NULL REFERENCES parent ON DELETE CASCADE, n "
        "INTEGER "
        "NOT NULL, PRIMARY KEY (parent, n)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE seen (id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER) STRICT;"
        "CREATE TABLE own (id INTEGER PRIMARY KEY, text TEXT) STRICT;"
        "CREATE TRIGGER noted AFTER INSERT ON parent BEGIN INSERT INTO seen (parent) VALUES "
        "(new.id); END;";
static const char fewer[] = "CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT";
static const char *const migrations[] = {tables}, *const of_fewer[] = {fewer};
static const struct db_schema schema = {.name = "a.db",
                                        .application_id = 0x61616161,
                                        .migrations = migrations,
                                        .n_migrations = 1,
                                        .remedy = "x"};
static const struct db_schema schema_of_fewer = {.name = "a.db",
                                                 .application_id = 0x61616161,
                                                 .migrations = of_fewer,
                                                 .n_migrations = 1,
                                                 .remedy = "x"};
static const char *const left_out[] = {"own", NULL};

struct pair {
	char folder[32], paths[2][48];
	struct db *from, *to;
	struct db_follower *kept;
};

static struct db *open_in(struct pair *p, int i, const struct db_schema *of)
{
	struct error err;
	(void)snprintf(p->paths[i], sizeof p->paths[i], "%s/%d.db", p->folder, i);
	struct db *db = db_open(p->paths[i], of, DB_WRITE, &err);
	assert_non_null(db);
	return db;
}

static void pair_open(struct pair *p, const struct db_schema *of_copy)
{
	struct error err;
	*p = (struct pair){.folder = "/tmp/test-record-XXXXXX"};
	assert_non_null(mkdtemp(p->folder));
	p->from = open_in(p, 0, &schema);
	p->to = open_in(p, 1, of_copy);
	assert_true(db_follow_begin(p->to, &err));
	p->kept = db_follower_new(p->to);
}

static void pair_close(struct pair *p)
{
	db_follower_free(p->kept);
	db_close(p->from);
	db_close(p->to);
	for (int i = 0; i < 2; i++)
		assert_int_equal(unlink(p->paths[i]), 0);
	assert_int_equal(rmdir(p->folder), 0);
}

/* Does it in a transaction of the first; what it has changed. */
static struct buf record(struct pair *p, const char *sql)
{
	struct error err;
	struct buf changes = {0};
	assert_true(db_begin(p->from, &err));
	struct db_record *rec = db_record_begin(p->from, left_out, &err);
	assert_non_null(rec);
	assert_true(db_exec(p->from, sql, &err));
	assert_true(db_record_take(rec, &changes, &err));
	db_record_free(rec);
	assert_true(db_commit(p->from, &err));
	return changes;
}

static bool follow(struct pair *p, const struct buf *changes, struct error *err)
{
	*err = (struct error){0};
	assert_true(db_begin(p->to, err));
	if (db_follow(p->to, changes->data, changes->len, err))
		return db_commit(p->to, err);
	db_rollback(p->to);
	return false;
}

/* By kept statements; nothing is changed where they don't do. */
static bool follow_kept(struct pair *p, const struct buf *changes, bool commit)
{
	struct error err;
	assert_true(db_begin(p->to, &err));
	bool made = db_follower_make(p->kept, changes->data, changes->len);
	if (made && commit)
		assert_true(db_commit(p->to, &err));
	else
		db_rollback(p->to);
	return made;
}

static void both(struct pair *p, const char *sql)
{
	struct error err;
	struct buf changes = record(p, sql);
	assert_true(follow_kept(p, &changes, false));
	if (!follow(p, &changes, &err))
		fail_msg("%s: %s", sql, err.text);
	buf_free(&changes);
}

static int64_t number(struct db *db, const char *sql)
{
	struct error err;
	int64_t n = -1;
	struct db_query *q = db_query_once(db, sql);
	assert_true(db_run_int(q, -1, &n, &err));
	return n;
}

static void test_the_copy_is_equal(void **state)
{
	struct pair p;
	(void)state;
	pair_open(&p, &schema);
	both(&p, "INSERT INTO parent VALUES (1, 'a'), (2, NULL); INSERT INTO child VALUES (1, 1), "
	         "(1, 2), (2, 1); INSERT INTO own VALUES (1, 'not this')");
	both(&p, "UPDATE parent SET name = 'b' WHERE id = 2");
	both(&p, "DELETE FROM parent WHERE id = 1"); /* and its children */
	both(&p, "INSERT INTO parent VALUES (3, 'gone'); DELETE FROM parent WHERE id = 3");
	for (int i = 0; i < 2; i++) {
		struct db *db = i ? p.to : p.from;
		assert_int_equal(number(db, "SELECT id FROM parent WHERE name = 'b'"), 2);
		assert_int_equal(number(db, "SELECT count(*) FROM parent"), 1);
		assert_int_equal(number(db, "SELECT count(*) FROM child"), 1);
		/* What a trigger did is recorded; it isn't done twice. */
		assert_int_equal(number(db, "SELECT count(*) FROM seen"), 3);
		assert_int_equal(number(db, "SELECT count(*) FROM own"), i == 0);
	}
	pair_close(&p);
}

static void test_kept_statements_do_the_same(void **state)
{
	static const char *const steps[] = {
	        "INSERT INTO parent VALUES (1, 'a'), (2, NULL), (3, 'c'); INSERT INTO child VALUES "
	        "(1, 1), (1, 2), (3, 1)",
	        "UPDATE parent SET name = 'b' WHERE id = 2; UPDATE parent SET name = NULL WHERE id "
	        "= 3",
	        "DELETE FROM parent WHERE id = 1", "INSERT INTO parent VALUES (1, 'a')",
	        "DELETE FROM child; UPDATE parent SET name = name || '+'"};
	static const char all[] =
	        "SELECT count(*) FROM (SELECT 1 FROM parent WHERE (id, name) IN (VALUES (1, 'a+'), "
	        "(2, 'b+')) UNION ALL SELECT 1 FROM parent WHERE id = 3 AND name IS NULL)";
	struct pair p;
	(void)state;
	pair_open(&p, &schema);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct buf changes = record(&p, steps[i]);
		assert_true(follow_kept(&p, &changes, true));
		buf_free(&changes);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(number(i ? p.to : p.from, all), 3);
		assert_int_equal(number(i ? p.to : p.from, "SELECT count(*) FROM child"), 0);
		assert_int_equal(number(i ? p.to : p.from, "SELECT count(*) FROM seen"), 4);
	}
	pair_close(&p);
}

/* In whichever order rows are visited, one takes a name that another still has. */
static void test_what_needs_another_order_is_left_to_the_slow_way(void **state)
{
	struct pair p;
	struct error err;
	(void)state;
	pair_open(&p, &schema);
	both(&p, "INSERT INTO parent VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
	struct buf moved = record(&p, "UPDATE parent SET name = 'x' WHERE id = 2; UPDATE parent "
	                              "SET name = 'b' WHERE id = 1; UPDATE parent SET name = 'y' "
	                              "WHERE id = 3; UPDATE parent SET name = 'c' WHERE id = 4");
	assert_false(follow_kept(&p, &moved, true));
	assert_int_equal(db_answer(p.to), DB_FINE);
	assert_int_equal(number(p.to, "SELECT id FROM parent WHERE name = 'a'"), 1);
	assert_true(follow(&p, &moved, &err));
	assert_int_equal(number(p.to, "SELECT id FROM parent WHERE name = 'b'"), 1);
	assert_int_equal(number(p.to, "SELECT id FROM parent WHERE name = 'c'"), 4);
	buf_free(&moved);
	pair_close(&p);
}

static void test_nothing_changed_is_nothing(void **state)
{
	struct pair p;
	struct error err;
	(void)state;
	pair_open(&p, &schema);
	struct buf changes = record(&p, "DELETE FROM parent");
	assert_int_equal(changes.len, 0);
	assert_true(follow(&p, &changes, &err));
	buf_free(&changes);
	pair_close(&p);
}

static void test_what_is_larger_than_asked_for_is_left(void **state)
{
	struct pair p;
	struct error err;
	bool whole = true;
	(void)state;
	pair_open(&p, &schema);
	assert_true(db_begin(p.from, &err));
	struct db_record *rec = db_record_begin(p.from, left_out, &err);
	struct buf all = {0}, some = {0};
	assert_true(db_exec(p.from, "INSERT INTO parent VALUES (1, hex(zeroblob(5000)))", &err));
	assert_true(db_record_take(rec, &all, &err));
	buf_adds(&some, "before");
	assert_true(db_record_take_upto(rec, all.len - 1, &some, &whole, &err));
	assert_false(whole);
	assert_int_equal(some.len, 6);
	assert_true(db_record_take_upto(rec, all.len, &some, &whole, &err));
	assert_true(whole);
	assert_int_equal(some.len, 6 + all.len);
	assert_memory_equal(some.data + 6, all.data, all.len);
	db_record_free(rec);
	db_rollback(p.from);
	buf_free(&all);
	buf_free(&some);
	pair_close(&p);
}

static void refused(struct pair *p, const struct buf *changes, const char *words)
{
	struct error err;
	assert_false(follow_kept(p, changes, true));
	assert_false(follow(p, changes, &err));
	assert_int_equal(err.code, EX_DATAERR);
	if (strstr(err.text, words) == NULL)
		fail_msg("\"%s\" isn't in: %s", words, err.text);
}

static void test_what_does_not_fit_is_refused(void **state)
{
	struct pair p;
	(void)state;
	pair_open(&p, &schema);
	struct buf added = record(&p, "INSERT INTO parent VALUES (1, 'a')");
	struct buf changed = record(&p, "UPDATE parent SET name = 'b'");
	struct buf removed = record(&p, "DELETE FROM parent");
	refused(&p, &changed, "a row is missing in table parent");
	refused(&p, &removed, "a row is missing in table parent");
	struct buf damaged = {0};
	buf_add(&damaged, added.data, added.len - 3);
	refused(&p, &damaged, "can't be read");
	struct error err;
	assert_true(follow(&p, &added, &err));
	refused(&p, &added, "a key is taken in table parent");
	assert_int_equal(number(p.to, "SELECT count(*) FROM parent"), 1);
	buf_free(&damaged);
	buf_free(&added);
	buf_free(&changed);
	buf_free(&removed);
	pair_close(&p);
}

/* SQLite itself would pass over it. */
static void test_a_table_that_is_not_there_is_refused(void **state)
{
	struct pair p;
	(void)state;
	pair_open(&p, &schema_of_fewer);
	struct buf table = record(&p, "INSERT INTO parent VALUES (1, 'a'); INSERT INTO child "
	                              "VALUES (1, 1); DELETE FROM seen");
	refused(&p, &table, "there is no table child");
	buf_free(&table);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_the_copy_is_equal),
	        cmocka_unit_test(test_kept_statements_do_the_same),
	        cmocka_unit_test(test_what_needs_another_order_is_left_to_the_slow_way),
	        cmocka_unit_test(test_nothing_changed_is_nothing),
	        cmocka_unit_test(test_what_is_larger_than_asked_for_is_left),
	        cmocka_unit_test(test_what_does_not_fit_is_refused),
	        cmocka_unit_test(test_a_table_that_is_not_there_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
