/* SPDX-License-Identifier: MIT */
/* lib/db/db: opening, migrating, statements, transactions, and what each fault is called. */
#include "db/db_copy.h"
#include "db/db_record.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const steps[] = {"CREATE TABLE t (a TEXT UNIQUE, n INTEGER) STRICT",
                                    "ALTER TABLE t ADD COLUMN c TEXT"};
static const struct db_schema one = {
        .name = "test.db", .application_id = 77, .migrations = steps, .n_migrations = 1};
static const struct db_schema two = {
        .name = "test.db", .application_id = 77, .migrations = steps, .n_migrations = 2};
static const struct db_schema other = {
        .name = "other.db", .application_id = 78, .migrations = steps, .n_migrations = 2};
static const char *const broken_steps[] = {"CREATE TABLE t (a TEXT UNIQUE, n INTEGER) STRICT",
                                           "ALTER TABLE t ADD COLUMN b TEXT; SELECT nonsense"};
static const struct db_schema broken = {
        .name = "test.db", .application_id = 77, .migrations = broken_steps, .n_migrations = 2};

struct place {
	char dir[64];
	char path[96];
	struct arena *arena;
};

static int setup(void **state)
{
	struct place *place = mem_alloc(sizeof *place);
	strcpy(place->dir, "/tmp/test-db-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	(void)snprintf(place->path, sizeof place->path, "%s/test.db", place->dir);
	place->arena = arena_new();
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;
	static const char *const endings[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		char name[128];
		(void)snprintf(name, sizeof name, "%s%s", place->path, endings[i]);
		(void)unlink(name);
	}
	assert_int_equal(rmdir(place->dir), 0);
	arena_free(place->arena);
	free(place);
	return 0;
}

static struct db *open_or_fail(const struct place *place, const struct db_schema *schema,
                               enum db_mode mode)
{
	struct error err = {0};
	struct db *db = db_open(place->path, schema, mode, &err);
	if (db == NULL)
		fail_msg("%s", err.text);
	return db;
}

static void put(struct db *db, const char *a, int64_t n)
{
	struct db_query *q = db_query(db, "INSERT INTO t (a, n) VALUES (?1, ?2)");
	struct error err;
	db_bind_text(q, 1, a);
	db_bind_int(q, 2, n);
	assert_true(db_run(q, &err));
}

static int64_t count(struct db *db)
{
	int64_t n;
	assert_true(db_run_int(db_query(db, "SELECT count(*) FROM t"), -1, &n, NULL));
	return n;
}

static void test_new_file_and_migration(void **state)
{
	struct place *place = *state;
	struct stat st;
	(void)umask(077);
	struct db *db = open_or_fail(place, &one, DB_WRITE);
	(void)umask(022);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	put(db, "x", 1);
	char wal[128];
	(void)snprintf(wal, sizeof wal, "%s-wal", place->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_null(db_close(db));

	db = open_or_fail(place, &two, DB_READ); /* a reader moves an old file forward as well */
	int64_t n;
	assert_true(db_run_int(db_query(db, "SELECT n FROM t WHERE c IS NULL"), -1, &n, NULL));
	assert_int_equal(n, 1);
	assert_false(db_exec(db, "DELETE FROM t", NULL));
	assert_int_equal(db_answer(db), DB_DENIED);
	db_close(db);
}

static void test_whose_file(void **state)
{
	struct place *place = *state;
	struct error err;
	db_close(open_or_fail(place, &two, DB_WRITE));
	assert_null(db_open(place->path, &one, DB_WRITE, &err));
	assert_int_equal(err.code, EX_CONFIG);
	assert_non_null(strstr(err.text, "newer dispatchd"));
	assert_null(db_open(place->path, &other, DB_READ, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_non_null(strstr(err.text, "other.db"));
}

static void test_failed_migration_changes_nothing(void **state)
{
	struct place *place = *state;
	struct error err;
	assert_null(db_open(place->path, &broken, DB_WRITE, &err));
	struct db *db = open_or_fail(place, &two, DB_WRITE); /* stands at 1: its second step runs */
	assert_int_equal(db_run(db_query(db, "SELECT b FROM t"), &err), false);
	assert_true(db_run(db_query(db, "SELECT c FROM t"), &err));
	db_close(db);
}

static void test_absent(void **state)
{
	struct place *place = *state;
	struct error err;
	struct db *db = open_or_fail(place, &two, DB_READ);
	assert_int_equal(count(db), 0);
	db_close(db);
	assert_int_not_equal(access(place->path, F_OK), 0);
	assert_null(db_open("/nonexistent/dir/x.db", &two, DB_WRITE, &err));
	assert_int_equal(err.code, EX_IOERR);
	assert_null(db_open(place->dir, &two, DB_WRITE, &err));
	assert_int_equal(err.code, EX_DATAERR);
}

static void test_statements_without_end(void **state)
{
	struct place *place = *state;
	static const char endless[] =
	        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
	        " SELECT count(*) FROM c";
	static const char rows[] =
	        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
	        " SELECT n FROM c";
	struct error err;
	atomic_bool stop = false;
	struct db *db = open_or_fail(place, &two, DB_WRITE);
	db_set_limit(db, 1000 * 1000, &stop);
	assert_false(db_run(db_query(db, endless), &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_false(db_run(db_query(db, rows), &err)); /* each row is a few steps: they add up */
	assert_int_equal(err.code, EX_DATAERR);
	for (int i = 0; i < 3000; i++) /* but not those of other statements */
		put(db, NULL, i);
	assert_int_equal(count(db), 3000);
	db_set_limit(db, INT64_MAX, &stop);
	atomic_store(&stop, true);
	assert_false(db_run(db_query(db, endless), &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	db_close(db);
}

static void test_not_a_database(void **state)
{
	struct place *place = *state;
	struct error err;
	FILE *file = fopen(place->path, "w");
	for (int i = 0; i < 500; i++)
		(void)fputs("this is no database", file);
	(void)fclose(file);
	assert_null(db_open(place->path, &two, DB_READ, &err));
	assert_int_equal(err.code, EX_DATAERR);
}

static void test_columns_and_bindings(void **state)
{
	struct place *place = *state;
	struct db *db = open_or_fail(place, &two, DB_WRITE);
	put(db, "Zoë", 41);
	struct db_query *q = db_query(db, "SELECT a, n, c, '2026-02-30', '2026-02-28' FROM t");
	assert_int_equal(db_step(q, NULL), DB_ROW);
	assert_string_equal(db_text(q, 0, place->arena), "Zoë");
	assert_int_equal(db_int(q, 1), 41);
	assert_string_equal(db_text(q, 2, place->arena), "");
	assert_null(db_text_or_null(q, 2, place->arena));
	assert_true(instant_is_none(db_instant(q, 2)));
	assert_true(day_is_none(db_day(q, 3)));
	assert_int_equal(db_day(q, 4).n, day_of(2026, 2, 28).n);
	/* The same statement while it is still being stepped. */
	assert_int_equal(count(db), 1);
	assert_int_equal(db_step(q, NULL), DB_DONE);
	q = db_query(db, "SELECT ?1 IS NULL");
	assert_int_equal(db_step(q, NULL), DB_ROW);
	assert_int_equal(db_int(q, 0), 1);
	db_finish(q);
	db_close(db);
}

static void test_faults_have_answers(void **state)
{
	struct place *place = *state;
	struct db *db = open_or_fail(place, &two, DB_WRITE);
	struct db *rival = open_or_fail(place, &two, DB_WRITE);
	struct error err;
	put(db, "x", 1);
	struct db_query *q = db_query(db, "INSERT INTO t (a) VALUES ('x')");
	assert_false(db_run(q, &err));
	assert_int_equal(db_answer(db), DB_CONSTRAINT);
	assert_int_equal(err.code, EX_DATAERR);
	q = db_query(db, "SELECT ?1 FROM t");
	db_bind_int(q, 9, 1);
	assert_false(db_run(q, &err));
	assert_int_equal(db_answer(db), DB_WRONG);

	assert_true(db_begin(rival, &err));
	db_set_wait(db, 30, NULL, NULL);
	assert_false(db_begin(db, &err));
	assert_int_equal(db_answer(db), DB_BUSY);
	assert_int_equal(err.code, EX_TEMPFAIL);
	db_rollback(rival);
	assert_true(db_begin(db, &err));
	assert_true(db_commit(db, &err));

	assert_true(db_exec(db, "PRAGMA max_page_count = 8", &err));
	bool full = false;
	for (int i = 0; i < 400 && !full; i++)
		full = !db_exec(db, "INSERT INTO t (a) VALUES (hex(randomblob(500)))", &err);
	assert_true(full);
	assert_int_equal(db_answer(db), DB_FULL);
	assert_int_equal(err.code, EX_IOERR);
	db_close(rival);
	db_close(db);
}

static void test_one_view_of_the_data(void **state)
{
	struct place *place = *state;
	struct db *writer = open_or_fail(place, &two, DB_WRITE);
	struct db *reader = open_or_fail(place, &two, DB_READ);
	struct error err;
	put(writer, "x", 1);
	int64_t before = db_data_version(reader);
	assert_true(db_begin_read(reader, &err));
	put(writer, "y", 2);
	assert_int_equal(count(reader), 1);
	db_end_read(reader);
	assert_int_equal(count(reader), 2);
	assert_int_not_equal(db_data_version(reader), before);

	assert_true(db_begin(writer, &err));
	put(writer, "z", 3);
	assert_true(db_in_transaction(writer));
	db_rollback(writer);
	db_rollback(writer);
	assert_int_equal(count(writer), 2);
	assert_true(db_check(writer, &err));
	db_close(reader);
	db_close(writer);
}

/* A lock on the new file, or no room for it: then there is no copy. */
static void test_copy(void **state)
{
	struct place *place = *state;
	struct db *db = open_or_fail(place, &two, DB_WRITE);
	struct error err = {0};
	sqlite3 *rival = NULL;
	char to[128];
	put(db, "x", 1);
	(void)snprintf(to, sizeof to, "%s/no/copy.db", place->dir);
	assert_false(db_copy(db, to, &err));
	assert_int_equal(err.code, EX_IOERR);
	assert_non_null(strstr(err.text, to));

	(void)snprintf(to, sizeof to, "%s/copy.db", place->dir);
	assert_int_equal(sqlite3_open(to, &rival), SQLITE_OK);
	assert_int_equal(sqlite3_exec(rival, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_false(db_copy(db, to, &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	assert_int_equal(sqlite3_close(rival), SQLITE_OK);

	assert_true(db_copy(db, to, &err));
	struct db *copy = db_open(to, &two, DB_READ, &err);
	assert_non_null(copy);
	assert_int_equal(count(copy), 1);
	db_close(copy);
	db_close(db);
	assert_int_equal(unlink(to), 0);
}

static void test_damage_is_told(void **state)
{
	struct place *place = *state;
	struct db *db = open_or_fail(place, &two, DB_WRITE);
	for (int i = 0; i < 2000; i++) {
		char text[32];
		(void)snprintf(text, sizeof text, "row %d", i);
		put(db, text, i);
	}
	db_close(db);
	FILE *file = fopen(place->path, "r+");
	assert_int_equal(fseek(file, 4096 + 5, SEEK_SET), 0);
	for (int i = 0; i < 9000; i++)
		(void)fputc(i * 7 % 251, file);
	(void)fclose(file);
	struct error err = {0};
	db = db_open(place->path, &two, DB_READ, &err);
	if (db) {
		assert_false(db_check(db, &err));
		db_close(db);
	}
	assert_int_equal(err.code, EX_DATAERR);
}

/* ---- a cluster's file ---- */

static const char *const team_steps[] = {
        "CREATE TABLE t (a TEXT UNIQUE, n INTEGER) STRICT",
        "CREATE TABLE child (id INTEGER PRIMARY KEY, t TEXT REFERENCES t (a) ON DELETE CASCADE);"
        "CREATE TABLE gone (id INTEGER PRIMARY KEY);"
        "CREATE TRIGGER gone AFTER DELETE ON child BEGIN INSERT INTO gone VALUES (old.id); END;"
        "INSERT INTO child VALUES (1, 'x'), (2, 'y')",
        "DELETE FROM t WHERE a = 'x'",
        "ALTER TABLE t ADD COLUMN c TEXT",
};
static const char is_team[] = "SELECT EXISTS (SELECT 1 FROM t WHERE n = 7)";
#define TEAM(version)                                                                              \
	{                                                                                          \
		.name = "test.db", .application_id = 77, .migrations = team_steps,                 \
		.n_migrations = (version), .in_cluster = is_team, .cluster_version = 2             \
	}
static const struct db_schema team_1 = TEAM(1), team_2 = TEAM(2), team_4 = TEAM(4);

static int64_t number(struct db *db, const char *sql)
{
	int64_t n = -1;
	assert_true(db_run_int(db_query_once(db, sql), -1, &n, NULL));
	return n;
}

static void make_team(const struct place *place, const struct db_schema *schema, int64_t n)
{
	struct db *db = open_or_fail(place, &team_1, DB_WRITE);
	put(db, "x", n);
	put(db, "y", n);
	db_close(db);
	db_close(open_or_fail(place, schema, DB_OWN));
}

static void test_a_cluster_s_file_moves_by_its_journal(void **state)
{
	const struct place *place = *state;
	struct error err;
	make_team(place, &team_2, 7);
	assert_null(db_open(place->path, &team_4, DB_READ, &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	assert_non_null(strstr(err.text, "is a cluster's and of schema 2"));
	assert_null(db_open(place->path, &team_4, DB_WRITE, &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	struct db *db = open_or_fail(place, &team_4, DB_FOLLOW);
	assert_int_equal(db_version(db), 2);
	db_close(db);
	db = open_or_fail(place, &team_4, DB_OWN);
	assert_int_equal(db_version(db), 4);
	db_close(db);
	db_close(open_or_fail(place, &team_4, DB_READ));
}

static void test_what_is_no_cluster_s_moves_when_it_is_opened(void **state)
{
	const struct place *place = *state;
	make_team(place, &team_1, 7); /* from before there were any */
	struct db *db = open_or_fail(place, &team_4, DB_FOLLOW);
	assert_int_equal(db_version(db), 4);
	db_close(db);
}

static void test_a_reader_moves_one_that_is_in_no_cluster(void **state)
{
	const struct place *place = *state;
	make_team(place, &team_2, 6);
	struct db *db = open_or_fail(place, &team_4, DB_READ);
	assert_int_equal(db_version(db), 4);
	db_close(db);
}

/* Triggers and foreign keys act in a migration as they do on the owner's machine, and not in what
 * is followed. */
static void test_a_follower_migrates_as_its_owner(void **state)
{
	const struct place *place = *state;
	struct error err;
	make_team(place, &team_2, 7);
	struct db *db = open_or_fail(place, &team_4, DB_FOLLOW);
	assert_true(db_follow_begin(db, &err));
	assert_true(db_migrate(db, 3, &err));
	assert_int_equal(db_version(db), 3);
	assert_int_equal(number(db, "PRAGMA user_version"), 3);
	assert_int_equal(number(db, "SELECT count(*) FROM child"), 1);
	assert_int_equal(number(db, "SELECT count(*) FROM gone"), 1);
	assert_true(db_begin(db, &err) && db_exec(db, "DELETE FROM t", &err) &&
	            db_commit(db, &err));
	assert_int_equal(number(db, "SELECT count(*) FROM child"), 1);
	assert_true(db_begin(db, &err) && db_exec(db, "DELETE FROM child", &err) &&
	            db_commit(db, &err));
	assert_int_equal(number(db, "SELECT count(*) FROM gone"), 1);
	assert_true(db_migrate(db, 3, &err) && db_migrate(db, 2, &err)); /* it is there */
	assert_int_equal(db_version(db), 3);
	assert_false(db_migrate(db, 5, &err));
	assert_int_equal(err.code, EX_CONFIG);
	assert_true(db_migrate(db, 4, &err));
	db_close(db);
}

/* Its schema is still looked after, as of its version. */
static void test_what_is_planted_in_a_follower_s_file_is_found(void **state)
{
	const struct place *place = *state;
	struct error err;
	sqlite3 *other_program;
	make_team(place, &team_2, 7);
	struct db *db = open_or_fail(place, &team_4, DB_FOLLOW);
	assert_int_equal(sqlite3_open(place->path, &other_program), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other_program,
	                              "CREATE TRIGGER planted AFTER INSERT ON t BEGIN DELETE FROM "
	                              "t; END",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	(void)sqlite3_close(other_program);
	assert_false(db_begin(db, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_non_null(strstr(err.text, "planted"));
	assert_false(db_migrate(db, 4, &err));
	assert_int_equal(err.code, EX_DATAERR);
	db_close(db);
	assert_null(db_open(place->path, &team_4, DB_FOLLOW, &err));
	assert_int_equal(err.code, EX_DATAERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_a_cluster_s_file_moves_by_its_journal, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_what_is_no_cluster_s_moves_when_it_is_opened,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_reader_moves_one_that_is_in_no_cluster,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_follower_migrates_as_its_owner, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_what_is_planted_in_a_follower_s_file_is_found,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(test_new_file_and_migration, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_whose_file, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_failed_migration_changes_nothing, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_statements_without_end, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_not_a_database, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_columns_and_bindings, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_faults_have_answers, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_one_view_of_the_data, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_damage_is_told, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
