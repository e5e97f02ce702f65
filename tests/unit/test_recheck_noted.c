/* SPDX-License-Identifier: MIT */
/*
 * Every way of writing into customers.db notes whose data has changed for the rules, and nothing
 * else does. Plain SQL, since the office's own tools write it, too.
 */
#include "office.h"

#include "records/customers.h"

#include <string.h>

/* A head with two sites, one that is alone; each has something of everything. */
#define GIVEN                                                                                      \
	"INSERT INTO customer (id, number, name, parent) VALUES (1, '1', 'Head', NULL),"           \
	" (2, '2', 'North', 1), (3, '3', 'South', 1), (4, '4', 'Alone', NULL);"                    \
	"INSERT INTO contact (id, customer, name, email) VALUES (1, 2, 'Ann', 'a@example.com'),"   \
	" (2, 4, 'Bob', 'b@example.com');"                                                         \
	"INSERT INTO suspension (id, customer, scopes, \"from\", note) VALUES"                     \
	" (1, 2, 'routes', '2026-01-01', 'x'), (2, 4, 'routes', '2026-01-01', 'x');"               \
	"INSERT INTO hours_week VALUES (2, 0, '07:00-17:00'), (4, 0, '07:00-17:00');"              \
	"INSERT INTO hours_date VALUES (2, '2026-12-24', ''), (4, '2026-12-24', '');"              \
	"INSERT INTO office_date VALUES ('2026-12-25', '');"                                       \
	"INSERT INTO former_number VALUES ('2a', 2);"                                              \
	"INSERT INTO asset (id, customer, kind) VALUES (1, 2, 'bin');"                             \
	"INSERT INTO note (id, customer, text) VALUES (1, 2, 'x')"

static const struct {
	const char *sql;
	const char *noted; /* by id; 0 is everybody */
} ways[] = {
        {"INSERT INTO customer (number, name) VALUES ('5', 'New')", "5"},
        {"INSERT INTO customer (id, number, name) SELECT 10 + id, number || 'c', name FROM customer"
         " WHERE id < 3",
         "11 12"},
        {"INSERT OR REPLACE INTO customer (id, number, name) VALUES (4, '4', 'Again')", "4"},
        {"UPDATE customer SET number = '44' WHERE id = 4", "4"},
        {"UPDATE OR IGNORE customer SET status = 'inactive' WHERE id = 4", "4"},
        {"UPDATE customer SET status = 'inactive'", "1 2 3 4"},
        {"UPDATE customer SET parent = 1 WHERE id = 4", "4"},
        {"UPDATE customer SET parent = NULL WHERE id = 2", "2"},
        {"UPDATE customer SET timezone = 'America/Denver' WHERE id = 1", "1"},
        {"UPDATE customer SET name = 'Other', phone = '1', status = status, parent = parent", ""},
        {"DELETE FROM customer WHERE id = 4", "4"},
        {"DELETE FROM customer WHERE id IN (2, 4)", "2 4"},

        {"INSERT INTO contact (customer, name) VALUES (4, 'Cy')", ""},
        {"UPDATE contact SET email = 'c@example.com' WHERE id = 2", "4"},
        {"UPDATE contact SET alt_email = 'c@example.com' WHERE id = 2", "4"},
        {"UPDATE contact SET email_invalid = 1 WHERE id = 2", "4"},
        {"UPDATE contact SET alt_email_invalid = 1 WHERE id = 2", "4"},
        {"UPDATE contact SET notify = 'failed' WHERE id = 1", "2"},
        {"UPDATE contact SET all_sites = 1 WHERE id = 1", "2"},
        {"UPDATE OR REPLACE contact SET customer = 4 WHERE id = 1", "2 4"},
        {"UPDATE contact SET name = 'Other', title = 'x', email = email", ""},
        {"DELETE FROM contact WHERE id = 1", "2"},

        {"INSERT INTO suspension (customer, scopes, \"from\", note) VALUES (3, 'jobs', "
         "'2026-01-01', '')",
         "3"},
        {"UPDATE suspension SET removed = 1 WHERE id = 1", "2"},
        {"UPDATE suspension SET customer = 4 WHERE id = 1", "2 4"},
        {"DELETE FROM suspension WHERE id = 2", "4"},

        {"INSERT INTO hours_week VALUES (3, 1, '')", "3"},
        {"INSERT OR REPLACE INTO hours_week VALUES (2, 0, '')", "2"},
        {"INSERT OR IGNORE INTO hours_week SELECT 4, 3, windows FROM hours_week WHERE customer = 2",
         "4"},
        {"INSERT OR IGNORE INTO hours_week VALUES (2, 0, '')", ""},
        {"INSERT INTO hours_week VALUES (2, 0, '') ON CONFLICT DO UPDATE SET windows = ''", "2"},
        {"UPDATE hours_week SET windows = '' WHERE customer = 4", "4"},
        {"UPDATE hours_week SET customer = 3 WHERE customer = 4", "3 4"},
        {"DELETE FROM hours_week", "2 4"},
        {"INSERT OR REPLACE INTO hours_date VALUES (2, '2026-12-24', '08:00-09:00')", "2"},
        {"INSERT OR IGNORE INTO hours_date SELECT 3, day, windows FROM hours_date WHERE customer = "
         "2",
         "3"},
        {"UPDATE hours_date SET customer = 3 WHERE customer = 2", "2 3"},
        {"DELETE FROM hours_date WHERE customer = 4", "4"},

        {"INSERT OR REPLACE INTO office_date VALUES ('2026-12-25', '08:00-09:00')", "0"},
        {"INSERT INTO office_date VALUES ('2026-12-26', '')", "0"},
        {"UPDATE office_date SET windows = '08:00-09:00'", "0"},
        {"DELETE FROM office_date", "0"},
        {"INSERT INTO former_number VALUES ('3a', 3)", "3"},
        {"UPDATE former_number SET customer = 4", "4"},

        /* Mails show it, rules don't look at it. */
        {"INSERT INTO asset (customer, kind) VALUES (2, 'bin')", ""},
        {"UPDATE asset SET kind = 'x'", ""},
        {"DELETE FROM note", ""},
        {"INSERT INTO rep (name) VALUES ('Kim')", ""},
};

static void run(struct office *office, const char *sql)
{
	if (!db_exec(customers_db(office->store), sql, &office->err))
		fail_msg("%s: %s", sql, office->err.text);
}

static struct change_point point(struct office *office)
{
	struct change_point point;
	office_ok(office, customers_change_point(office->store, &point, &office->err));
	return point;
}

static void noted_since(struct office *office, int64_t seq, char ret[200])
{
	struct db_query *query = db_query(
	        customers_db(office->store),
	        "SELECT coalesce(group_concat(customer, ' '), '') FROM (SELECT customer FROM "
	        "recheck WHERE seq > ?1 ORDER BY customer)");
	db_bind_int(query, 1, seq);
	assert_int_equal(db_step(query, &office->err), DB_ROW);
	(void)snprintf(ret, 200, "%s", db_text(query, 0, office->arena));
	db_finish(query);
}

static void every_way_of_writing_is_noted(void **state)
{
	struct office *office = *state;
	run(office, GIVEN);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		char noted[200];
		int64_t before = point(office).seq;
		run(office, "SAVEPOINT way");
		run(office, ways[i].sql);
		noted_since(office, before, noted);
		if (strcmp(noted, ways[i].noted) != 0)
			fail_msg("%s: noted \"%s\", not \"%s\"", ways[i].sql, noted, ways[i].noted);
		run(office, "ROLLBACK TO way; RELEASE way");
	}
}

/* However often it changes, a customer has one row, and the number of its last change is new. */
static void a_customer_has_one_row(void **state)
{
	struct office *office = *state;
	int64_t n, last = 0;
	run(office, GIVEN);
	for (int i = 0; i < 100; i++) {
		run(office, "UPDATE customer SET status = CASE status WHEN 'active' THEN "
		            "'inactive' ELSE 'active' END WHERE id = 4");
		assert_true(point(office).seq > last);
		last = point(office).seq;
	}
	office_ok(office, db_run_int(db_query(customers_db(office->store),
	                                      "SELECT count(*) FROM recheck WHERE customer = 4"),
	                             0, &n, &office->err));
	assert_int_equal(n, 1);
}

static struct customer_changes changes(struct office *office, int64_t after, size_t max)
{
	struct customer_changes changes;
	office_ok(office, customers_changes(office->store, after, max, 10, office->arena, &changes,
	                                    &office->err));
	return changes;
}

static bool names(const struct customer_changes *changes, const char *number)
{
	for (size_t i = 0; i < changes->n_numbers; i++)
		if (strcmp(changes->numbers[i], number) == 0)
			return true;
	return false;
}

static void sites_change_with_their_head(void **state)
{
	struct office *office = *state;
	run(office, GIVEN);
	int64_t before = point(office).seq;
	run(office, "UPDATE customer SET status = 'inactive' WHERE id = 1");
	struct customer_changes found = changes(office, before, 10);
	assert_true(names(&found, "1") && names(&found, "2") && names(&found, "2a"));
	assert_true(names(&found, "3") && !names(&found, "4") && !found.everybody);
	assert_int_equal(found.upto, point(office).seq);
}

static void one_that_is_gone_is_named(void **state)
{
	struct office *office = *state;
	run(office, GIVEN);
	int64_t before = point(office).seq;
	run(office, "DELETE FROM customer WHERE id = 4");
	struct customer_changes found = changes(office, before, 10);
	assert_int_equal(found.n_numbers, 1);
	assert_string_equal(found.numbers[0], "4");
}

static void changes_come_in_slices(void **state)
{
	struct office *office = *state;
	run(office, GIVEN);
	int64_t before = point(office).seq;
	run(office, "UPDATE customer SET timezone = 'UTC' WHERE id = 4;"
	            "UPDATE customer SET timezone = 'UTC' WHERE id = 2");
	struct customer_changes first = changes(office, before, 1);
	assert_true(names(&first, "4") && !names(&first, "2"));
	struct customer_changes second = changes(office, first.upto, 1);
	assert_true(names(&second, "2") && !names(&second, "4"));
	struct customer_changes none = changes(office, second.upto, 1);
	assert_true(none.n_numbers == 0 && none.upto == second.upto);
}

static void many_sites_are_everybody(void **state)
{
	struct office *office = *state;
	run(office, GIVEN);
	int64_t before = point(office).seq;
	run(office,
	    "WITH RECURSIVE n (i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE i < "
	    "120) INSERT INTO customer (number, name, parent) SELECT 'n' || i, 'x', 1 FROM n");
	assert_true(changes(office, before, 10).everybody);
	before = point(office).seq;
	run(office, "UPDATE customer SET status = 'inactive' WHERE id = 1");
	assert_true(changes(office, before, 10).everybody);
	before = point(office).seq;
	run(office, "DELETE FROM office_date");
	assert_true(changes(office, before, 10).everybody);
}

/* A loop that somebody made by hand ends. */
static void a_loop_of_parents_ends(void **state)
{
	struct office *office = *state;
	run(office, GIVEN);
	int64_t before = point(office).seq;
	run(office, "UPDATE customer SET parent = 2 WHERE id = 1");
	(void)changes(office, before, 10);
}

static void a_point_is_known_by_its_past(void **state)
{
	struct office *office = *state;
	bool known;
	run(office, GIVEN ";INSERT INTO change (time, user, kind, record, action) VALUES"
	                  " (1, 'kim', 'customer', 1, 'add')");
	struct change_point before = point(office);
	office_add(office, "customer", NULL, "{'number': '9', 'name': 'Nine'}");
	office_ok(office, customers_change_known(office->store, &before, &known, &office->err));
	assert_true(known);
	struct change_point now = point(office);
	office_ok(office, customers_change_known(office->store, &now, &known, &office->err));
	assert_true(known);
	/* A backup in which somebody else went on from there. */
	run(office, "UPDATE change SET user = 'ann' WHERE id = (SELECT max(id) FROM change)");
	office_ok(office, customers_change_known(office->store, &now, &known, &office->err));
	assert_false(known);
	now = point(office);
	now.seq++;
	office_ok(office, customers_change_known(office->store, &now, &known, &office->err));
	assert_false(known);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, office_open, office_close)
	const struct CMUnitTest tests[] = {
	        TEST(every_way_of_writing_is_noted), TEST(a_customer_has_one_row),
	        TEST(sites_change_with_their_head),  TEST(one_that_is_gone_is_named),
	        TEST(changes_come_in_slices),        TEST(many_sites_are_everybody),
	        TEST(a_loop_of_parents_ends),        TEST(a_point_is_known_by_its_past),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
