/* SPDX-License-Identifier: MIT */
/* The office's changes of a cluster's owner, made again in a standby's copy. */
#include "records/customers_changes.h"

#include "cluster.h"
#include "db/db_copy.h"
#include "records/contact_choice.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void add(struct office *office, const char *number)
{
	office_add(office, "customer", NULL,
	           arena_printf(office->arena,
	                        "{'number':'%s','name':'Haul %s','email':'%s@example.com',"
	                        "'contact':'Anna'}",
	                        number, number, number));
}

static int64_t kept(struct office *office)
{
	return cluster_number(office->store, "SELECT count(*) FROM cluster_change");
}

static struct customers_change *changes(struct cluster *c, int64_t after, size_t max, size_t *ret_n)
{
	struct customers_change *rows;
	struct office *office = c->office;
	office_ok(office, customers_changes_after(office->store, after, max, office->arena, &rows,
	                                          ret_n, &office->err));
	return rows;
}

static struct customers_change only_change(struct cluster *c)
{
	size_t n;
	struct customers_change *rows = changes(c, 0, SIZE_MAX, &n);
	assert_int_equal(n, 1);
	return rows[0];
}

static void refused(struct cluster *c, const struct customers_change *change, int code,
                    const char *words)
{
	struct error err = {0};
	assert_false(customers_follow(c->follower, change->id, change->bytes, change->len, &err));
	if (err.code != code || strstr(err.text, words) == NULL)
		fail_msg("'%s' (%d), expected '%s' (%d)", err.text, err.code, words, code);
	assert_false(db_in_transaction(customers_db(c->follower)));
}

/* ---- what is kept */

static void test_without_a_cluster_nothing_is_kept(void **state)
{
	struct office *office = *state;
	int64_t last;
	add(office, "1");
	assert_int_equal(kept(office), 0);
	office_ok(office, customers_last_change(office->store, &last, &office->err));
	assert_int_equal(last, 0);
}

static void test_a_row_for_each_transaction_that_changes(void **state)
{
	struct office *office = *state;
	struct cluster c;
	int64_t last;
	add(office, "1");
	cluster_open(&c, office);
	office_set(office, "customer", "1", "{'city':'Denver'}");
	office_set(office, "customer", "1", "{'city':'Denver'}"); /* changes nothing */
	office_refuses(office, &office->clerk, "customer", NULL, "1", "{'name':''}", EX_DATAERR,
	               "name");
	office_ok(office, changes_begin(office->store, &office->err));
	office_set(office, "customer", "1", "{'city':'Reno'}");
	office_set(office, "customer", "1", "{'name':'Hauling'}");
	office_ok(office, changes_end(office->store, true, &office->err));
	office_ok(office, customers_mark_invalid(office->store, 1, "1@example.com",
	                                         office->boss.when, "550", &office->err));
	office_ok(office, customers_mark_invalid(office->store, 1, "1@example.com",
	                                         office->boss.when, "550", &office->err));
	office_ok(office, customers_reindex(office->store, &office->err));
	assert_int_equal(kept(office), 3);
	assert_int_equal(cluster_follow(&c), 3);
	cluster_equal(&c);
	assert_int_equal(kept(office), 0);
	office_ok(office, customers_last_change(office->store, &last, &office->err));
	assert_int_equal(last, 3);
	office_ok(office, customers_last_change(c.follower, &last, &office->err));
	assert_int_equal(last, 3);
	add(office, "2");
	assert_int_equal(changes(&c, 3, SIZE_MAX, &(size_t){0})[0].id, 4);
	cluster_close(&c);
}

static void test_as_many_as_fit(void **state)
{
	struct office *office = *state;
	struct cluster c;
	size_t n;
	cluster_open(&c, office);
	for (int i = 1; i <= 5; i++)
		add(office, office_id(office, i));
	struct customers_change *rows = changes(&c, 0, SIZE_MAX, &n);
	assert_int_equal(n, 5);
	size_t two = rows[1].len + rows[2].len;
	assert_int_equal(changes(&c, 1, two, &n)[1].id, 3);
	assert_int_equal(n, 2);
	(void)changes(&c, 1, two - 1, &n);
	assert_int_equal(n, 1);
	(void)changes(&c, 4, 0, &n);
	assert_int_equal(n, 1);
	(void)changes(&c, 5, SIZE_MAX, &n);
	assert_int_equal(n, 0);
	office_ok(office, customers_changes_drop(office->store, 3, &office->err));
	assert_int_equal(changes(&c, 0, SIZE_MAX, &n)[0].id, 4);
	cluster_close(&c);
}

/* ---- where it doesn't follow */

static void test_again_changes_nothing(void **state)
{
	struct office *office = *state;
	struct cluster c;
	cluster_open(&c, office);
	add(office, "1");
	struct customers_change change = only_change(&c);
	for (int i = 0; i < 3; i++)
		office_ok(office, customers_follow(c.follower, change.id, change.bytes, change.len,
		                                   &office->err));
	cluster_equal(&c);
	cluster_close(&c);
}

static void test_a_gap(void **state)
{
	struct office *office = *state;
	struct cluster c;
	size_t n;
	cluster_open(&c, office);
	add(office, "1");
	add(office, "2");
	struct customers_change *rows = changes(&c, 0, SIZE_MAX, &n);
	refused(&c, &rows[1], EX_DATAERR, "the last one here is 0");
	assert_int_equal(cluster_number(c.follower, "SELECT count(*) FROM customer"), 0);
	struct customers_change cut = rows[0];
	cut.len = 20;
	refused(&c, &cut, EX_DATAERR, "can't be read");
	cut = rows[0];
	cut.len -= 3;
	refused(&c, &cut, EX_DATAERR, "can't be read");
	assert_int_equal(cluster_follow(&c), 2);
	cluster_equal(&c);
	cluster_close(&c);
}

/* The old owner has made changes that no journal has; the new one goes on with the same numbers. */
static void test_another_past(void **state)
{
	struct office *office = *state;
	struct cluster c;
	struct customers_change *rows;
	size_t n;
	cluster_open(&c, office);
	add(office, "1");
	(void)cluster_follow(&c);
	add(office, "2");
	cluster_close(&c);
	struct customers *copy = customers_open(c.path, DB_WRITE, &office->err), *old;
	office_ok(office, customers_set_role(copy, CLUSTER_OWNER, NULL, &office->err));
	struct office other = *office;
	other.store = other.boss.store = copy;
	add(&other, "3");
	add(&other, "4");
	office_ok(office, customers_changes_after(copy, 0, SIZE_MAX, office->arena, &rows, &n,
	                                          &office->err));
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].id, 2);
	office_ok(office, customers_set_role(office->store, CLUSTER_STANDBY, "west", &office->err));
	old = customers_open_follower(office->path, &office->err);
	office_ok(office, old != NULL);
	c.follower = old;
	refused(&c, &rows[0], EX_DATAERR, "was another here");
	refused(&c, &rows[1], EX_DATAERR, "isn't the same here");
	cluster_close(&c);
	customers_close(copy);
}

/* What another program writes isn't recorded: the next change doesn't follow on it. */
static void test_written_to_by_another_program(void **state)
{
	static const char *const writes[] = {
	        ("INSERT INTO suspension (customer, scopes, \"from\", note) VALUES (1, 'emails', "
	         "'2026-01-01', 'x')"),
	        "UPDATE contact SET name = 'Bea'", "DELETE FROM contact",
	        "INSERT INTO customer (number, name) VALUES ('7', 'x')"};
	struct office *office = *state;
	struct cluster c;
	struct error err;
	add(office, "1");
	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
		cluster_open(&c, office);
		office_set(office, "customer", "1", i % 2 ? "{'city':'A'}" : "{'city':'B'}");
		assert_int_equal(cluster_follow(&c), 1);
		office_ok(office, db_exec(customers_db(office->store), writes[i], &err));
		if (i == 3)
			office_ok(office, customers_reindex(office->store, &err));
		add(office, arena_printf(office->arena, "10%zu", i));
		struct customers_change change = only_change(&c);
		refused(&c, &change, EX_DATAERR, "isn't the same here");
		office_ok(office, customers_changes_drop(office->store, change.id, &err));
		cluster_close(&c);
		assert_int_equal(unlink(c.path), 0);
	}
}

static void test_a_copy_written_to_by_another_program(void **state)
{
	struct office *office = *state;
	struct cluster c;
	struct error err;
	add(office, "1");
	cluster_open(&c, office);
	struct customers *other = customers_open(c.path, DB_WRITE, &err);
	office_ok(office,
	          db_exec(customers_db(other), "UPDATE customer SET status = 'inactive'", &err));
	customers_close(other);
	add(office, "2");
	struct customers_change change = only_change(&c);
	refused(&c, &change, EX_DATAERR, "another program has written to this file");
	cluster_close(&c);
}

/* A role goes and comes back, and nothing was written meanwhile: the past is the same. */
static void test_written_to_without_a_role(void **state)
{
	struct office *office = *state;
	struct cluster c;
	cluster_open(&c, office);
	add(office, "1");
	(void)cluster_follow(&c);
	for (int i = 0; i < 2; i++) {
		office_ok(office,
		          customers_set_role(office->store, CLUSTER_NONE, NULL, &office->err));
		if (i == 1)
			add(office, "2");
		office_ok(office,
		          customers_set_role(office->store, CLUSTER_OWNER, NULL, &office->err));
		add(office, i == 0 ? "3" : "4");
		struct customers_change change = only_change(&c);
		assert_int_equal(change.id, 2 + i);
		if (i == 1)
			refused(&c, &change, EX_DATAERR, "isn't the same here");
		else
			(void)cluster_follow(&c);
	}
	cluster_close(&c);
}

/* A backup that was put back has no role, but the past that it was made with. */
static void test_a_seed(void **state)
{
	struct office *office = *state;
	struct cluster c;
	cluster_open(&c, office);
	add(office, "1");
	cluster_close(&c);
	assert_int_equal(unlink(c.path), 0);
	office_ok(office, db_copy(customers_db(office->store), c.path, &office->err));
	struct customers *copy = customers_open(c.path, DB_WRITE, &office->err);
	office_ok(office, customers_jump(copy, &office->err));
	assert_int_equal(cluster_number(copy, "SELECT count(*) FROM cluster WHERE role = 'none'"),
	                 1);
	office_ok(office, customers_set_role(copy, CLUSTER_STANDBY, "east", &office->err));
	customers_close(copy);
	c.follower = customers_open_follower(c.path, &office->err);
	add(office, "2");
	assert_int_equal(cluster_follow(&c), 2); /* it has the first */
	assert_int_equal(cluster_number(c.follower, "SELECT count(*) FROM customer"), 2);
	cluster_close(&c);
}

/* Notes of 1 MB each, as one change. */
static void add_large_notes(struct office *office, int n, const char *text)
{
	office_ok(office, changes_begin(office->store, &office->err));
	for (int i = 0; i < n; i++)
		office_ok(office, db_exec(customers_db(office->store),
		                          arena_printf(office->arena,
		                                       "INSERT INTO note (customer, text) VALUES "
		                                       "(1, hex(%s(500000)))",
		                                       text),
		                          &office->err));
	office_ok(office, changes_end(office->store, true, &office->err));
}

static void test_a_large_one_is_packed(void **state)
{
	struct office *office = *state;
	struct cluster c;
	add(office, "1");
	cluster_open(&c, office);
	add_large_notes(office, 40, "zeroblob");
	struct customers_change change = only_change(&c);
	assert_true(change.len < 1000000);
	struct customers_change cut = change;
	cut.len -= 3;
	refused(&c, &cut, EX_DATAERR, "can't be read");
	char *other = arena_strndup(office->arena, change.bytes, change.len);
	memcpy(other, change.bytes, change.len);
	memset(other + change.len - 2000, 'x', 1000);
	cut = change;
	cut.bytes = other;
	refused(&c, &cut, EX_DATAERR, "");
	assert_int_equal(cluster_follow(&c), 1);
	cluster_equal(&c);
	cluster_close(&c);
}

static void too_large(struct office *office, int n, const char *text)
{
	struct cluster c;
	cluster_open(&c, office);
	add_large_notes(office, n, text);
	struct customers_change change = only_change(&c);
	assert_true(change.len < 200);
	assert_int_equal(
	        cluster_number(office->store,
	                       "SELECT count(*) FROM cluster_change WHERE changes IS NULL"),
	        1);
	refused(&c, &change, EX_DATAERR, "too large to be kept");
	/* One that is seeded behind it passes over it. */
	cluster_close(&c);
	assert_int_equal(unlink(c.path), 0);
	cluster_open(&c, office);
	assert_int_equal(cluster_follow(&c), 1);
	cluster_close(&c);
	assert_int_equal(unlink(c.path), 0);
}

static void test_too_large(void **state)
{
	struct office *office = *state;
	add(office, "1");
	too_large(office, 60, "zeroblob");
	too_large(office, 30, "randomblob"); /* hardly smaller when packed */
}

static void test_a_row_is_another(void **state)
{
	struct office *office = *state;
	struct cluster c;
	struct error err;
	add(office, "1");
	cluster_open(&c, office);
	office_ok(office, db_exec(customers_db(c.follower), "DELETE FROM contact", &err));
	office_ok(office, records_remove(&office->boss, kind_find("contact"), "1", &office->err));
	struct customers_change change = only_change(&c);
	refused(&c, &change, EX_DATAERR, "a row is missing in table contact");
	cluster_close(&c);
}

/* Two that change places within one change are in each other's way, whichever comes first: SQLite
 * can't tell that it is for a moment only. */
static void test_two_numbers_change_places(void **state)
{
	struct office *office = *state;
	struct cluster c;
	add(office, "1");
	add(office, "2");
	cluster_open(&c, office);
	office_ok(office, changes_begin(office->store, &office->err));
	office_set(office, "customer", "1", "{'number':'3'}");
	office_set(office, "customer", "2", "{'number':'1'}");
	office_set(office, "customer", "3", "{'number':'2'}");
	office_ok(office, changes_end(office->store, true, &office->err));
	struct customers_change change = only_change(&c);
	refused(&c, &change, EX_DATAERR, "a constraint is broken in table customer");
	cluster_close(&c);
}

static void test_only_a_standby_follows(void **state)
{
	struct office *office = *state;
	struct cluster c;
	cluster_open(&c, office);
	add(office, "1");
	struct customers_change change = only_change(&c);
	struct customers *copy = customers_open(c.path, DB_WRITE, &office->err);
	office_ok(office, customers_set_role(copy, CLUSTER_OWNER, NULL, &office->err));
	customers_close(copy);
	refused(&c, &change, EX_SOFTWARE, "isn't a standby");
	cluster_close(&c);
}

/* ---- a standby's office */

static void test_a_standby_refuses(void **state)
{
	struct office *office = *state;
	struct error err = {0};
	json_t *json;
	const char *words = "this machine is a standby and follows east; make the change there";
	add(office, "1");
	office_ok(office, customers_set_role(office->store, CLUSTER_STANDBY, "east", &office->err));
	office_refuses(office, &office->boss, "customer", NULL, "1", "{'city':'Reno'}", EX_TEMPFAIL,
	               words);
	office_refuses(office, &office->boss, "customer", NULL, NULL, "{'number':'2','name':'x'}",
	               EX_TEMPFAIL, words);
	assert_false(changes_begin(office->store, &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	assert_false(customer_erase(&office->boss, "1", &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	assert_false(customers_mark_invalid(office->store, 1, "1@example.com", office->boss.when,
	                                    "550", &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	assert_false(contact_choice_set(office->store, 1, "", ~0u, 0, office->boss.when, &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	struct records_upsert row = {.json = "{\"number\":\"1\",\"name\":\"y\"}", .len = 25};
	assert_false(records_upsert(&office->boss, &row, 1, &err));
	assert_int_equal(err.code, EX_TEMPFAIL);
	office_ok(office, customers_search(office->store, "haul", BY_ALL, 9, &json, &office->err));
	assert_int_equal(json_array_size(json), 1);
	json_decref(json);
	office_ok(office, customers_set_role(office->store, CLUSTER_STANDBY, NULL, &office->err));
	office_refuses(office, &office->boss, "customer", NULL, "1", "{'city':'Reno'}", EX_TEMPFAIL,
	               "follows the cluster's owner");
	office_ok(office, customers_set_role(office->store, CLUSTER_NONE, NULL, &office->err));
	office_set(office, "customer", "1", "{'city':'Reno'}");
}

static void test_a_role_is_written_once(void **state)
{
	struct office *office = *state;
	struct customers *other = customers_open(office->path, DB_WRITE, &office->err);
	office_ok(office, customers_set_role(office->store, CLUSTER_STANDBY, "a", &office->err));
	int64_t before = db_data_version(customers_db(other));
	office_ok(office, customers_set_role(office->store, CLUSTER_STANDBY, "a", &office->err));
	assert_int_equal(db_data_version(customers_db(other)), before);
	office_ok(office, customers_set_role(office->store, CLUSTER_STANDBY, "b", &office->err));
	assert_int_not_equal(db_data_version(customers_db(other)), before);
	customers_close(other);
}

/* ---- a copy as the owner */

static int64_t last_id(struct customers *store, const char *table)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *handle = NULL;
	int64_t seq = 0;
	assert_int_equal(sqlite3_open(db_path(customers_db(store)), &handle), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(handle,
	                                    "SELECT seq FROM sqlite_sequence WHERE name = ?1", -1,
	                                    &stmt, NULL),
	                 SQLITE_OK);
	(void)sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		seq = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(handle);
	return seq;
}

/* An id whose row came and went within a change is used up, too. */
static void test_no_id_is_given_twice(void **state)
{
	struct office *office = *state;
	struct cluster c;
	add(office, "1");
	cluster_open(&c, office);
	office_ok(office, changes_begin(office->store, &office->err));
	int64_t id = office_add(office, "activity", "1", "{'kind':'call','text':'x'}");
	office_ok(office, records_remove(&office->boss, kind_find("activity"),
	                                 office_id(office, id), &office->err));
	office_ok(office, changes_end(office->store, true, &office->err));
	(void)cluster_follow(&c);
	assert_int_equal(last_id(c.follower, "activity"), id);
	cluster_equal(&c);
	cluster_close(&c);
}

static void test_the_copy_takes_over(void **state)
{
	struct office *office = *state;
	struct cluster c, back;
	cluster_open(&c, office);
	add(office, "1");
	add(office, "2");
	(void)cluster_follow(&c);
	cluster_close(&c);
	struct office other = *office;
	(void)snprintf(other.path, sizeof other.path, "%.90s", c.path);
	other.store = other.boss.store = customers_open(c.path, DB_WRITE, &office->err);
	office_ok(office, customers_set_role(other.store, CLUSTER_OWNER, NULL, &office->err));
	add(&other, "3");
	office_ok(office, customers_set_role(office->store, CLUSTER_STANDBY, "copy", &office->err));
	back = (struct cluster){.office = &other,
	                        .follower = customers_open_follower(office->path, &office->err)};
	(void)snprintf(back.path, sizeof back.path, "%s", office->path);
	assert_int_equal(cluster_follow(&back), 1);
	cluster_equal(&back);
	cluster_close(&back);
	customers_close(other.store);
}

/* ---- what is recorded at all */

static void test_every_table_has_a_key(void **state)
{
	struct office *office = *state;
	assert_int_equal(
	        cluster_number(office->store,
	                       "SELECT count(*) FROM sqlite_schema s WHERE type = 'table' AND name "
	                       "NOT LIKE 'sqlite_%' AND sql NOT LIKE 'CREATE VIRTUAL%' AND NOT "
	                       "EXISTS (SELECT 1 FROM pragma_table_info(s.name) WHERE pk > 0)"),
	        0);
}

static bool file_has(const char *path, const char *text)
{
	static char bytes[8 << 20];
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(bytes, 1, sizeof bytes, file) : 0;
	if (file)
		(void)fclose(file);
	assert_true(n < sizeof bytes);
	return memmem(bytes, n, text, strlen(text)) != NULL;
}

/* The words of an erased customer are wiped in the copy, too, and from what was kept. */
static void test_erased(void **state)
{
	struct office *office = *state;
	struct cluster c;
	add(office, "1");
	cluster_open(&c, office);
	for (int i = 0; i < 40; i++)
		office_add(office, "note", "1", "{'text':'Rumpelstiltskin pays late'}");
	office_set(office, "customer", "1", "{'name':'Rumpelstiltskin Hauling'}");
	(void)cluster_follow(&c);
	assert_int_equal(cluster_number(c.follower, "SELECT count(*) FROM search_words WHERE name "
	                                            "LIKE '%rumpel%'"),
	                 1);
	office_ok(office, customer_erase(&office->boss, "1", &office->err));
	(void)cluster_follow(&c);
	cluster_equal(&c);
	const char *wal = arena_printf(office->arena, "%s-wal", c.path);
	assert_false(file_has(c.path, "umpelstiltskin") || file_has(wal, "umpelstiltskin"));
	assert_false(file_has(office->path, "umpelstiltskin"));
	cluster_close(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, office_open, office_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(without_a_cluster_nothing_is_kept),
	        TEST(a_row_for_each_transaction_that_changes),
	        TEST(as_many_as_fit),
	        TEST(again_changes_nothing),
	        TEST(a_gap),
	        TEST(another_past),
	        TEST(written_to_without_a_role),
	        TEST(written_to_by_another_program),
	        TEST(a_copy_written_to_by_another_program),
	        TEST(a_seed),
	        TEST(a_large_one_is_packed),
	        TEST(too_large),
	        TEST(a_row_is_another),
	        TEST(two_numbers_change_places),
	        TEST(only_a_standby_follows),
	        TEST(a_standby_refuses),
	        TEST(a_role_is_written_once),
	        TEST(no_id_is_given_twice),
	        TEST(the_copy_takes_over),
	        TEST(every_table_has_a_key),
	        TEST(erased),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
