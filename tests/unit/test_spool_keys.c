/* SPDX-License-Identifier: MIT */
/* Which events are on record, when there are more of them than one run holds: found after a
 * restart, after a turn that failed, and gone with the purge, against a plain list. */
#include "spool_file.h"
#include "tables.h"

#include "spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN = 65536, DAY_MS = 86400000, TURN = 4096 };

static const char *path;
static struct spool *spool;
static int64_t job;
static const struct instant now = {1780488000000};

static int setup(void **state)
{
	(void)state;
	path = spool_file_make();
	spool = spool_open(path, DB_WRITE, NULL);
	assert_non_null(spool);
	job = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool = spool_close(spool);
	return spool_file_remove();
}

static void begin(void)
{
	spool_file_begin(spool);
}

static void commit(void)
{
	spool_file_commit(spool);
}

static void reopen(void)
{
	spool = spool_close(spool);
	spool = spool_open(path, DB_WRITE, NULL);
	assert_non_null(spool);
}

/* Ids in no order. */
static const char *id_of(unsigned i, char ret[24])
{
	(void)snprintf(ret, 24, "%08x-%u", i * 2654435761u, i);
	return ret;
}

static int64_t add(unsigned i, struct instant at)
{
	char id[24];
	struct job_event event = {
	        .state = JOB_COMPLETED,
	        .id = id_of(i, id),
	        .source = i % 3 == 0 ? "a" : "",
	        .job = "J",
	        .customer = "1001",
	        .time = at,
	        .time_published = at,
	        .received = at,
	        .data = "{}",
	        .entry_id = "",
	};
	if (job == 0)
		job = spool_job(spool, "1001", "J");
	return spool_event_add(spool, &event, job, STATUS_SUPPRESSED, REASON_OK, "[]");
}

static int64_t find(unsigned i)
{
	char id[24];
	return spool_event_find(spool, i % 3 == 0 ? "a" : "", id_of(i, id), NULL);
}

/* Event i gets row i + 1 in an empty spool. */
static void fill(unsigned from, unsigned to, struct instant at)
{
	for (unsigned i = from; i < to;) {
		begin();
		for (unsigned end = i + TURN < to ? i + TURN : to; i < end; i++)
			assert_int_equal(add(i, at), i + 1);
		commit();
	}
}

static void all_there(unsigned n, unsigned step)
{
	char id[24];
	for (unsigned i = 0; i < n; i += step) {
		assert_int_equal(find(i), i + 1);
		assert_int_equal(spool_event_find(spool, "b", id_of(i, id), NULL), 0);
	}
	for (unsigned i = n; i < n + n / 4; i++)
		assert_int_equal(find(i), 0);
}

static int64_t number_of(const char *sql)
{
	return tables_number(path, sql);
}

static void of_several_runs_each_is_found(void **state)
{
	(void)state;
	enum { N = 2 * RUN + 500 };
	fill(0, N, now);
	all_there(N, 7);
	assert_int_equal(number_of("SELECT count(*) FROM event_run"), 2);
	reopen();
	all_there(N, 7);
	struct spool *reader = spool_open(path, DB_READ, NULL);
	assert_non_null(reader);
	assert_true(spool_begin_read(reader, NULL));
	char id[24];
	assert_int_equal(spool_event_find(reader, "a", id_of(3, id), NULL), 4);
	assert_int_equal(spool_event_find(reader, "a", id_of(N + 1, id), NULL), 0);
	spool_end_read(reader);
	(void)spool_close(reader);
}

/* The turn that would have written a run, too. */
static void a_turn_that_fails_leaves_nothing(void **state)
{
	(void)state;
	fill(0, RUN - 10, now);
	begin();
	for (unsigned i = RUN - 10; i < RUN + 10; i++)
		assert_int_equal(add(i, now), i + 1);
	assert_int_equal(find(RUN + 9), RUN + 10);
	spool_rollback(spool);
	begin();
	all_there(RUN - 10, 97);
	commit();
	assert_int_equal(number_of("SELECT count(*) FROM event_run"), 0);
	fill(RUN - 10, RUN + 10, now);
	assert_int_equal(number_of("SELECT count(*) FROM event_run"), 1);
	all_there(RUN + 10, 97);
	reopen();
	all_there(RUN + 10, 97);
}

static void a_reader_sees_what_came_since(void **state)
{
	(void)state;
	char id[24];
	fill(0, 10, now);
	struct spool *reader = spool_open(path, DB_READ, NULL);
	for (unsigned i = 9; i < 12; i++) {
		assert_true(spool_begin_read(reader, NULL));
		assert_int_equal(
		        spool_event_find(reader, i % 3 == 0 ? "a" : "", id_of(i, id), NULL), i + 1);
		assert_int_equal(
		        spool_event_find(reader, i % 3 == 2 ? "a" : "", id_of(i + 1, id), NULL), 0);
		spool_end_read(reader);
		fill(i + 1, i + 2, now);
	}
	(void)spool_close(reader);
}

static void purge_all(struct instant before)
{
	for (bool more = true; more;) {
		begin();
		more = spool_purge(spool, before, now, 100000);
		commit();
	}
}

/* Keys go with the last event of their run; an id that has gone may come again. */
static void what_is_purged_is_unknown(void **state)
{
	(void)state;
	struct instant old = instant_add(now, -100LL * DAY_MS);
	fill(0, RUN + 10, old);
	fill(RUN + 10, 3 * RUN + 10, now);
	purge_all(instant_add(now, -90LL * DAY_MS));
	assert_int_equal(number_of("SELECT count(*) FROM event"), 2 * RUN);
	assert_int_equal(number_of("SELECT min(id) FROM event_run"), 2);
	assert_int_equal(number_of("SELECT count(*) FROM event_key WHERE run = 1"), 0);
	assert_int_equal(find(0), 0);
	assert_int_equal(find(RUN + 9), 0);
	assert_int_equal(find(RUN + 10), RUN + 11);
	begin();
	assert_int_equal(add(5, now), 3 * RUN + 11);
	commit();
	assert_int_equal(find(5), 3 * RUN + 11);
	reopen();
	assert_int_equal(find(5), 3 * RUN + 11);
	assert_int_equal(find(6), 0);
	assert_int_equal(find(3 * RUN + 9), 3 * RUN + 10);
}

/* With no event left, new ones are behind the last run all the same. */
static void no_id_comes_twice(void **state)
{
	(void)state;
	fill(0, RUN + 1, instant_add(now, -100LL * DAY_MS));
	purge_all(instant_add(now, -90LL * DAY_MS));
	assert_int_equal(number_of("SELECT count(*) FROM event"), 0);
	reopen();
	job = 0;
	begin();
	int64_t id = add(1, now);
	assert_true(id > RUN);
	commit();
	assert_int_equal(find(1), id);
	reopen();
	assert_int_equal(find(1), id);
}

/* As a spool of before is: rows, and no run. */
static void rows_without_keys_get_them(void **state)
{
	(void)state;
	enum { N = 2 * RUN + 10 };
	fill(0, N, now);
	spool = spool_close(spool);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	        sqlite3_exec(db, "DELETE FROM event_key; DELETE FROM event_run", NULL, NULL, NULL),
	        SQLITE_OK);
	(void)sqlite3_close(db);
	struct spool *reader = spool_open(path, DB_READ, NULL);
	char id[24];
	assert_int_equal(spool_event_find(reader, "a", id_of(3, id), NULL), 4);
	(void)spool_close(reader);
	assert_int_equal(number_of("SELECT count(*) FROM event_run"), 0);
	spool = spool_open(path, DB_WRITE, NULL);
	begin();
	all_there(N, 97);
	commit();
	assert_int_equal(number_of("SELECT count(*) FROM event_run"), 2);
	all_there(N, 97);
}

/* One that somebody has damaged lets all pass: slower, and nothing is decided twice. */
static void a_filter_that_is_damaged_hides_nothing(void **state)
{
	(void)state;
	fill(0, RUN + 10, now);
	spool = spool_close(spool);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE event_run SET filter = x'00'", NULL, NULL, NULL),
	                 SQLITE_OK);
	(void)sqlite3_close(db);
	spool = spool_open(path, DB_WRITE, NULL);
	all_there(RUN + 10, 97);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(of_several_runs_each_is_found, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_turn_that_fails_leaves_nothing, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_reader_sees_what_came_since, setup, teardown),
	        cmocka_unit_test_setup_teardown(what_is_purged_is_unknown, setup, teardown),
	        cmocka_unit_test_setup_teardown(no_id_comes_twice, setup, teardown),
	        cmocka_unit_test_setup_teardown(rows_without_keys_get_them, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_filter_that_is_damaged_hides_nothing, setup,
	                                        teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
