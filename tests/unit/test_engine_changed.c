/* SPDX-License-Identifier: MIT */
/*
 * Customers change, and what waits for them alone is rechecked. That others' rows aren't even
 * looked at shows from the count of rechecks, which is a metric.
 */
#include "engine_world.h"

#include "db/db_copy.h"
#include "model/metric.h"
#include "records/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENING "2026-06-03T20:00:00Z" /* a Wednesday */
#define NOON    "2026-06-03T12:00:00Z"
#define DAYTIME "'07:00-17:00'"
#define ALL_DAY "'00:00-24:00'"

static struct world *w;

/* A head whose hours its site has, and two others. A contact each. */
static int setup(void **state)
{
	(void)state;
	w = world_new(EVENING);
	world_sql(w, "INSERT INTO customer (id, number, name, parent) VALUES (1, '1001', 'Acme', "
	             "NULL), (2, '1002', 'North', 1), (3, '1003', 'Bell', NULL), (4, '1004', "
	             "'Open', NULL);"
	             "INSERT INTO contact (id, customer, name, email) VALUES "
	             "(2, 2, 'Ann', 'ann@example.com'), (3, 3, 'Bob', 'bob@example.com'), "
	             "(4, 4, 'Cy', 'cy@example.com');"
	             "INSERT INTO hours_week SELECT c, d, " DAYTIME " FROM (SELECT 1 c UNION "
	             "SELECT 3), (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION "
	             "SELECT 4);"
	             "INSERT INTO hours_week SELECT 4, weekday, " ALL_DAY " FROM hours_week WHERE "
	             "customer = 1");
	world_turn(w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

#define outcomes_are(text) assert_string_equal(buf_text(&w->outcomes), text)

static long long rechecks(void)
{
	struct buf text = {0};
	char name[64];
	(void)snprintf(name, sizeof name, "\n%s ", metric_name(METRIC_RECHECKS));
	world_metrics(w, &text);
	const char *at = strstr(buf_text(&text), name);
	assert_non_null(at);
	long long n = atoll(at + strlen(name));
	buf_free(&text);
	return n;
}

/* What a change in customers.db leads to in one turn; returns how many rows were looked at. */
static long long change(const char *sql)
{
	long long before = rechecks();
	world_sql(w, sql);
	world_turn(w);
	return rechecks() - before;
}

static void two_are_deferred(void)
{
	world_event(w, "job.completed", "J2", "1002", NULL, NULL);
	outcomes_are("deferred outside_hours J2 2026-06-04T07:00:00Z\n");
	world_event(w, "job.completed", "J3", "1003", NULL, NULL);
	outcomes_are("deferred outside_hours J3 2026-06-04T07:00:00Z\n");
}

static void in_flight_is(const char *address)
{
	assert_int_equal(w->n_in_flight, 1);
	assert_string_equal(w->in_flight[0].to, address);
}

/* ---- Mails that may go sooner ---- */

static void its_own_hours(void **state)
{
	(void)state;
	two_are_deferred();
	assert_int_equal(change("UPDATE hours_week SET windows = " ALL_DAY " WHERE customer = 3"),
	                 1);
	in_flight_is("bob@example.com");
	assert_int_equal(world_mails(w, STATUS_DEFERRED), 1);
}

static void the_hours_of_its_head(void **state)
{
	(void)state;
	two_are_deferred();
	assert_int_equal(change("UPDATE hours_week SET windows = " ALL_DAY " WHERE customer = 1"),
	                 1);
	in_flight_is("ann@example.com");
}

static void another_head(void **state)
{
	(void)state;
	two_are_deferred();
	assert_int_equal(change("UPDATE customer SET parent = 4 WHERE id = 2"), 1);
	in_flight_is("ann@example.com");
}

static void the_office_s_dates(void **state)
{
	(void)state;
	two_are_deferred();
	assert_int_equal(change("INSERT INTO office_date VALUES ('2026-06-03', " ALL_DAY ")"), 2);
	assert_int_equal(w->n_in_flight, 2);
}

static void what_no_rule_sees(void **state)
{
	(void)state;
	two_are_deferred();
	assert_int_equal(change("UPDATE customer SET phone = '1'; INSERT INTO note (customer, text)"
	                        " VALUES (3, 'x')"),
	                 0);
}

static void with_records(bool (*act)(const struct change_context *context, struct error *err))
{
	struct error err;
	struct customers *store = customers_open(w->settings.customers.path, DB_WRITE, &err);
	assert_non_null(store);
	struct change_context context = {
	        .store = store, .actor = {.user = "boss", .manager = true}, .when = w->now};
	if (!act(&context, &err))
		fail_msg("%s", err.text);
	customers_close(store);
}

static bool merge(const struct change_context *context, struct error *err)
{
	return customer_merge(context, "1003", "1004", err);
}

static void a_merge(void **state)
{
	(void)state;
	two_are_deferred();
	with_records(merge);
	long long before = rechecks();
	world_turn(w);
	assert_int_equal(rechecks() - before, 1);
	in_flight_is("bob@example.com");
}

static void many_changes_at_once(void **state)
{
	(void)state;
	two_are_deferred();
	/* More than a turn follows, and more than waits. */
	world_sql(w, "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < "
	             "1200) INSERT INTO customer (number, name) SELECT 'n' || i, 'x' FROM n;"
	             "UPDATE hours_week SET windows = " ALL_DAY);
	world_turn(w);
	assert_int_equal(w->n_in_flight, 2);
}

/* ---- Mails in flight that may not go anymore ---- */

static size_t recalled_by(const char *sql, int64_t *ret_mail)
{
	struct turn_input in = {.now = w->now, .room = 8, .outcomes_max = 100};
	struct turn_output out;
	struct error err;
	world_sql(w, sql);
	assert_true(engine_turn(w->engine, &in, &out, &err));
	size_t n = out.n_recalled;
	*ret_mail = n > 0 ? out.recalled[0] : 0;
	turn_output_clear(&out);
	return n;
}

static void two_are_in_flight(void)
{
	world_at(w, NOON);
	world_event(w, "job.completed", "J2", "1002", NULL, NULL);
	world_event(w, "job.completed", "J3", "1003", NULL, NULL);
	assert_int_equal(w->n_in_flight, 2);
}

static void recalls_bobs_alone(const char *sql)
{
	int64_t mail;
	two_are_in_flight();
	long long before = rechecks();
	assert_int_equal(recalled_by(sql, &mail), 1);
	assert_int_equal(mail, w->in_flight[1].mail);
	assert_int_equal(rechecks() - before, 1);
}

static void a_contact_s_address(void **state)
{
	(void)state;
	recalls_bobs_alone("UPDATE contact SET email = 'b2@example.com' WHERE id = 3");
}

static void a_contact_that_is_removed(void **state)
{
	(void)state;
	recalls_bobs_alone("DELETE FROM contact WHERE id = 3");
}

static void its_status(void **state)
{
	(void)state;
	recalls_bobs_alone("UPDATE customer SET status = 'inactive' WHERE id = 3");
}

static void a_suspension_of_its_head(void **state)
{
	(void)state;
	int64_t mail;
	two_are_in_flight();
	assert_int_equal(recalled_by("INSERT INTO suspension (customer, scopes, \"from\", note) "
	                             "VALUES (1, 'emails', '2026-06-01', '')",
	                             &mail),
	                 1);
	assert_int_equal(mail, w->in_flight[0].mail);
}

/* ---- The gate ---- */

#define SUSPEND(id)                                                                                \
	"INSERT INTO suspension (customer, scopes, \"from\", note) VALUES (" id                    \
	", 'routes', '2026-06-01', 'x')"

static void two_are_held(void)
{
	world_at(w, NOON);
	world_sql(w, SUSPEND("1") ";" SUSPEND("3"));
	world_request(w, "job.dispatch", "J2", "1002", "r2", NULL);
	outcomes_are("held suspended J2\n");
	world_request(w, "job.dispatch", "J3", "1003", "r3", NULL);
	outcomes_are("held suspended J3\n");
}

static void held_jobs_of_a_head_s_site(void **state)
{
	(void)state;
	two_are_held();
	assert_int_equal(change("UPDATE suspension SET removed = 1 WHERE customer = 1"), 1);
	outcomes_are("released ok J2\n");
}

static bool erase(const struct change_context *context, struct error *err)
{
	return customer_erase(context, "1003", err);
}

static void held_jobs_of_one_that_is_erased(void **state)
{
	(void)state;
	two_are_held();
	with_records(erase);
	long long before = rechecks();
	world_turn(w);
	assert_int_equal(rechecks() - before, 1);
	outcomes_are("denied unknown_customer J3\n");
}

static void released_jobs_of_a_head_s_site(void **state)
{
	(void)state;
	world_at(w, NOON);
	world_request(w, "job.dispatch", "J2", "1002", "r2", NULL);
	world_request(w, "job.dispatch", "J3", "1003", "r3", NULL);
	outcomes_are("released ok J3\n");
	assert_int_equal(change(SUSPEND("1")), 1);
	outcomes_are("collision suspended J2\n");
}

/* One whose data changes all the time has more held than a turn takes; another's job waits behind.
 */
static void changes_of_one_hold_up_nobody_else(void **state)
{
	(void)state;
	enum { HELD = 6000 };
	char job[16], id[16];
	world_at(w, NOON);
	world_sql(w, SUSPEND("1") ";" SUSPEND("3"));
	for (int i = 0; i < HELD; i++) {
		(void)snprintf(job, sizeof job, "J%d", i);
		(void)snprintf(id, sizeof id, "r%d", i);
		world_request(w, "job.dispatch", job, "1002", id, NULL);
	}
	world_request(w, "job.dispatch", "LAST", "1003", "last", NULL);
	world_sql(w, "UPDATE suspension SET removed = 1 WHERE customer = 3");
	for (int turns = 0; turns < 12; turns++) {
		world_sql(w, "UPDATE suspension SET note = note || 'x' WHERE customer = 1");
		world_turn(w);
		if (strcmp(buf_text(&w->outcomes), "released ok LAST\n") == 0)
			return;
	}
	fail_msg("it is still held");
}

/* ---- Events whose customer is unknown ---- */

static void a_customer_that_comes(void **state)
{
	(void)state;
	world_event(w, "job.dispatched", "J5", "5", NULL, NULL);
	world_event(w, "job.dispatched", "J6", "6", NULL, NULL);
	assert_int_equal(change("INSERT INTO customer (id, number, name) VALUES (5, '5', 'Five')"),
	                 1);
	outcomes_are("suppressed no_address J5\n");
	assert_int_equal(change("INSERT INTO former_number VALUES ('6', 5)"), 1);
	outcomes_are("suppressed no_address J6\n");
}

/* ---- The start ---- */

static void a_start_looks_at_what_has_changed(void **state)
{
	(void)state;
	two_are_deferred();
	world_reopen(w);
	assert_int_equal(rechecks(), 0);
	engine_close(w->engine);
	world_sql(w, "UPDATE hours_week SET windows = " ALL_DAY " WHERE customer = 3");
	struct error err;
	w->engine = engine_open(&w->settings, w->now, &err);
	assert_non_null(w->engine);
	world_turn(w);
	assert_int_equal(rechecks(), 1);
	in_flight_is("bob@example.com");
	world_reopen(w);
	assert_int_equal(rechecks(), 0);
}

static void other_settings_are_a_change_of_all(void **state)
{
	(void)state;
	two_are_deferred();
	w->settings.notify[JOB_COMPLETED].outside_hours = HOURS_SEND;
	world_reopen(w);
	assert_int_equal(rechecks(), 2);
	assert_int_equal(w->n_in_flight, 2);
}

static void a_reload_looks_at_all_where_settings_differ(void **state)
{
	(void)state;
	two_are_deferred();
	engine_reload(w->engine, &w->settings);
	world_turn(w);
	assert_int_equal(w->n_in_flight, 0);
	long long before = rechecks();
	w->settings.notify[JOB_COMPLETED].outside_hours = HOURS_SEND;
	engine_reload(w->engine, &w->settings);
	world_turn(w);
	assert_int_equal(rechecks() - before, 2);
	assert_int_equal(w->n_in_flight, 2);
}

static void copy(const char *from, const char *to)
{
	struct error err;
	(void)unlink(to);
	struct customers *store = customers_open(from, DB_WRITE, &err);
	assert_non_null(store);
	assert_true(db_copy(customers_db(store), to, &err));
	customers_close(store);
}

/* A backup is put in its place while the engine is stopped, and `sql` is done in it. */
static void restore(const char *backup, const char *sql)
{
	struct error err;
	char path[160];
	engine_close(w->engine);
	w->n_in_flight = 0;
	copy(backup, w->settings.customers.path);
	(void)snprintf(path, sizeof path, "%s-wal", w->settings.customers.path);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s-shm", w->settings.customers.path);
	(void)unlink(path);
	world_sql(w, sql);
	w->engine = engine_open(&w->settings, w->now, &err);
	assert_non_null(w->engine);
	world_turn(w);
}

static bool edit(const struct change_context *context, struct error *err)
{
	json_t *values = json_pack("{s:s}", "timezone", "Europe/Paris");
	bool good = records_set(context, kind_find("customer"), "1004", values, err);
	json_decref(values);
	return good;
}

static void a_backup_is_a_change_of_all(void **state)
{
	(void)state;
	char backup[128];
	(void)snprintf(backup, sizeof backup, "%s/backup.db", w->directory);
	two_are_deferred();
	copy(w->settings.customers.path, backup);
	with_records(edit);
	world_turn(w);
	restore(backup, "SELECT 1"); /* fewer changes than were followed */
	assert_int_equal(rechecks(), 2);
	with_records(edit);
	world_turn(w);
	/* More changes than were followed, but other ones. */
	restore(backup, "INSERT INTO change (time, user, kind, record, action) VALUES "
	                "(1, 'kim', 'customer', 3, 'set');"
	                "UPDATE customer SET timezone = 'Europe/Rome';"
	                "UPDATE customer SET timezone = 'Europe/Oslo'");
	assert_int_equal(rechecks(), 2);
}

/* A turn that can't be committed has followed nothing. */
static void a_turn_that_fails_forgets_nothing(void **state)
{
	(void)state;
	struct error err;
	struct turn_input in = {.now = w->now, .room = 8, .outcomes_max = 100};
	struct turn_output out;
	struct rlimit old, none;
	two_are_deferred();
	world_sql(w, "UPDATE hours_week SET windows = " ALL_DAY " WHERE customer = 3");
	getrlimit(RLIMIT_FSIZE, &old);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	bool ok = engine_turn(w->engine, &in, &out, &err);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_false(ok);
	world_turn(w);
	in_flight_is("bob@example.com");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(its_own_hours),
	        TEST(the_hours_of_its_head),
	        TEST(another_head),
	        TEST(the_office_s_dates),
	        TEST(what_no_rule_sees),
	        TEST(a_merge),
	        TEST(many_changes_at_once),
	        TEST(a_contact_s_address),
	        TEST(a_contact_that_is_removed),
	        TEST(its_status),
	        TEST(a_suspension_of_its_head),
	        TEST(held_jobs_of_a_head_s_site),
	        TEST(held_jobs_of_one_that_is_erased),
	        TEST(released_jobs_of_a_head_s_site),
	        TEST(changes_of_one_hold_up_nobody_else),
	        TEST(a_customer_that_comes),
	        TEST(a_start_looks_at_what_has_changed),
	        TEST(other_settings_are_a_change_of_all),
	        TEST(a_reload_looks_at_all_where_settings_differ),
	        TEST(a_backup_is_a_change_of_all),
	        TEST(a_turn_that_fails_forgets_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
