/* SPDX-License-Identifier: MIT */
/* Another file takes the place of customers.db while the engine has it open, or it goes bad. */
#include "engine_world.h"

#include "engine/office_writer.h"
#include "records/customers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ACME                                                                                       \
	"INSERT INTO customer (id, number, name, timezone) VALUES (1, '1001', 'Acme', 'UTC');"     \
	"INSERT INTO contact (id, customer, name, email) VALUES (1, 1, 'Ann', 'ann@example.com')"
#define BURT                                                                                       \
	"INSERT INTO customer (id, number, name, timezone) VALUES (1, '1002', 'Burt', 'UTC');"     \
	"INSERT INTO contact (id, customer, name, email) VALUES (1, 1, 'Bob', 'bob@example.com')"

static struct world *w;

static int setup(void **state)
{
	(void)state;
	w = world_new("2026-06-03T12:00:00Z");
	w->settings.customers.grace_ms = 0;
	world_sql(w, ACME);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static char *beside(const char *ending)
{
	static char paths[4][160];
	static size_t next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, 160, "%s%s", w->settings.customers.path, ending);
	return path;
}

/* Another, of the same identity: a backup. */
static void identify(struct customers *other)
{
	struct error err;
	char identity[IDENTITY_SIZE];
	struct customers *first = customers_open(w->settings.customers.path, DB_READ, &err);
	assert_non_null(first);
	assert_true(customers_identity(first, identity, &err));
	assert_int_equal(strlen(identity), 32);
	customers_close(first);
	struct db_query *query = db_query(customers_db(other), "UPDATE identity SET id = ?1");
	db_bind_text(query, 1, identity);
	assert_true(db_run(query, &err));
}

/* A backup with another customer in it is moved over customers.db. */
static void replace(const char *sql)
{
	struct error err;
	struct customers *other = customers_open(beside(".backup"), DB_WRITE, &err);
	assert_non_null(other);
	assert_true(db_exec(customers_db(other), sql, &err));
	identify(other);
	customers_close(other);
	assert_int_equal(rename(beside(".backup"), w->settings.customers.path), 0);
}

static void remove_companions(void)
{
	(void)unlink(beside("-wal"));
	(void)unlink(beside("-shm"));
}

static void another_file_is_followed(void **state)
{
	(void)state;
	world_turn(w);
	assert_false(engine_customers_changed(w->engine));
	replace(BURT);
	remove_companions();
	assert_true(engine_customers_changed(w->engine));
	world_event(w, "job.dispatched", "J1", "1002", NULL, NULL);
	assert_string_equal(buf_text(&w->outcomes), "queued ok J1\n");
	world_event(w, "job.dispatched", "J2", "1001", NULL, NULL);
	assert_non_null(strstr(buf_text(&w->outcomes), "rejected unknown_customer J2\n"));
	assert_false(engine_customers_changed(w->engine));
}

/* No turn works, and says why; nothing is decided by data that isn't there anymore. */
static void assert_waits(const char *fault)
{
	struct error err;
	struct turn_input in = {.now = w->now, .tick = w->tick};
	struct turn_output out;
	assert_false(engine_turn(w->engine, &in, &out, &err));
	assert_non_null(strstr(err.text, fault));
	assert_true(engine_lacks_customers(w->engine));
}

/* The log of the old file must not be read into the new one. */
static void a_log_left_behind_is_not_read_into_another_file(void **state)
{
	(void)state;
	world_turn(w);
	assert_int_equal(access(beside("-wal"), F_OK), 0);
	replace(BURT);
	assert_waits("its -wal is still the old one's");
	remove_companions();
	world_event(w, "job.dispatched", "J2", "1002", NULL, NULL);
	assert_string_equal(buf_text(&w->outcomes), "queued ok J2\n");
	assert_false(engine_lacks_customers(w->engine));
}

static void a_file_that_is_none_is_not_followed(void **state)
{
	(void)state;
	world_turn(w);
	int fd = open(beside(".backup"), O_WRONLY | O_CREAT, 0600);
	assert_int_equal(
	        write(fd, "no database, but long enough to be taken for one by its size alone", 66),
	        66);
	(void)close(fd);
	assert_int_equal(rename(beside(".backup"), w->settings.customers.path), 0);
	remove_companions();
	assert_true(engine_customers_changed(w->engine));
	assert_waits("is not a database");
}

/* What the daemon has to write there waits; it is not the entry's fault. */
static void nothing_is_written_into_a_file_that_was_replaced(void **state)
{
	(void)state;
	struct error err;
	struct office_write_result result;
	struct spool_office_write row = {.seq = 1,
	                                 .kind = "customer",
	                                 .detail = "{\"number\": \"7\", \"name\": \"G\"}",
	                                 .entry = ""};
	struct office_writer *writer =
	        office_writer_open(w->settings.customers.path, w->settings.spool.path, &err);
	assert_non_null(writer);
	replace(BURT); /* nobody would find it in the old one */
	assert_int_equal(office_writer_run(writer, &row, 1, w->now, &result, &err), 0);
	office_writer_close(writer);
	remove_companions();
	writer = office_writer_open(w->settings.customers.path, w->settings.spool.path, &err);
	assert_non_null(writer);
	assert_int_equal(office_writer_run(writer, &row, 1, w->now, &result, &err), 1);
	assert_false(result.refused);
	row.detail = "{\"number\": \"\"}";
	assert_int_equal(office_writer_run(writer, &row, 1, w->now, &result, &err), 1);
	assert_true(result.refused);
	office_writer_close(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(another_file_is_followed, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_log_left_behind_is_not_read_into_another_file,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(a_file_that_is_none_is_not_followed, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(nothing_is_written_into_a_file_that_was_replaced,
	                                        setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
