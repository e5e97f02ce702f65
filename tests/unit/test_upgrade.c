/* SPDX-License-Identifier: MIT */
/*
 * A cluster of two whose program gets a new version with a further migration of both databases
 * (tests/next), the standby first: `schemas_are_next` says whose program runs. The journal is an
 * array here.
 */
#include "../next/next.h"

#include "engine/engine.h"
#include "engine/replica.h"
#include "engine_world.h"
#include "records/customers.h"
#include "records/customers_write.h"
#include "spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { ENTRIES_MAX = 256 };

static const struct journal_key key = {"a key of this test alone, 32 byt"};
static struct journal_entry entries[ENTRIES_MAX];
static size_t n_entries;
static int64_t epoch;
static struct world *a, *b;

/* ---- the journal ---- */

static void keep(const struct journal_position *before, struct journal_entry *entry)
{
	assert_true(n_entries < ENTRIES_MAX);
	journal_seal(&key, before, entry);
	entries[n_entries] = *entry;
	char *body = mem_alloc(entry->len + 1);
	if (entry->len > 0)
		memcpy(body, entry->body, entry->len);
	entries[n_entries++].body = body;
}

static bool append(void *arg, const struct journal_position *before, struct journal_entry *entry,
                   struct error *err)
{
	(void)arg;
	(void)err;
	entry->epoch = epoch;
	keep(before, entry);
	return true;
}

static const struct engine_journal journal = {.append = append};

/* ---- the machines ---- */

static struct replica *follow_begin(const struct world *w)
{
	struct error err;
	struct replica *replica = replica_open(&w->settings, &err);
	if (replica == NULL)
		fail_msg("%s", err.text);
	return replica;
}

/* What is in the journal behind its position, all at once; false where an entry is refused. */
static bool follow_all(struct replica *replica, struct error *err)
{
	size_t first = 0;
	*err = (struct error){0};
	while (first < n_entries && entries[first].number <= replica_position(replica).number)
		first++;
	return replica_apply(replica, &key, &entries[first], n_entries - first, err);
}

static void follow(const struct world *w)
{
	struct error err;
	struct replica *replica = follow_begin(w);
	if (!follow_all(replica, &err))
		fail_msg("%s", err.text);
	replica_close(replica);
}

static void own(struct world *w)
{
	struct error err;
	struct replica *replica = follow_begin(w);
	if (!follow_all(replica, &err))
		fail_msg("%s", err.text);
	struct journal_position before = replica_position(replica);
	struct journal_entry fence = replica_fence(++epoch);
	keep(&before, &fence);
	if (!replica_apply(replica, &key, &fence, 1, &err))
		fail_msg("%s", err.text);
	replica_close(replica);
	w->engine = engine_open_journaled(&w->settings, &journal, w->now, &err);
	if (w->engine == NULL)
		fail_msg("%s", err.text);
}

static void stop(struct world *w)
{
	w->engine = engine_close(w->engine);
}

static void seed(const struct world *to, const struct world *from)
{
	char command[256];
	(void)snprintf(command, sizeof command, "cp %s/*.db %s/", from->directory, to->directory);
	assert_int_equal(system(command), 0);
}

/* As the office's programs write. */
static void office(const struct world *w, const char *sql)
{
	struct error err;
	struct customers *store = customers_open(w->settings.customers.path, DB_WRITE, &err);
	if (store == NULL || !customers_write_begin(store, &err) ||
	    !db_exec(customers_db(store), sql, &err) || !customers_write_end(store, true, &err))
		fail_msg("%s", err.text);
	customers_close(store);
}

/* ---- what the files say ---- */

static sqlite3 *look(const char *path)
{
	sqlite3 *handle = NULL;
	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	return handle;
}

static int number(sqlite3 *handle, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(handle));
	int n = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return n;
}

static int in_file(const char *path, const char *sql)
{
	sqlite3 *handle = look(path);
	int n = number(handle, sql);
	(void)sqlite3_close(handle);
	return n;
}

static void have_versions(const struct world *w, int spool, int customers)
{
	const struct settings *s = &w->settings;
	assert_int_equal(in_file(s->spool.path, "PRAGMA user_version"), spool);
	assert_int_equal(in_file(s->customers.path, "PRAGMA user_version"), customers);
}

static void same_rows(sqlite3 *handle, const char *table)
{
	static const char *const sides[][2] = {{"main", "other"}, {"other", "main"}};
	for (int i = 0; i < 2; i++) {
		char *sql = sqlite3_mprintf("SELECT count(*) FROM (SELECT * FROM %s.\"%w\" EXCEPT "
		                            "SELECT * FROM %s.\"%w\")",
		                            sides[i][0], table, sides[i][1], table);
		int n = number(handle, sql);
		sqlite3_free(sql);
		if (n != 0)
			fail_msg("%d rows of %s are only in %s", n, table, sides[i][0]);
	}
}

/* But for what each machine has of its own, and how the search index is stored. Its texts are put
 * together where the program is of the file's version. */
static void same(const char *path, const char *other, bool search, size_t least)
{
	sqlite3 *handle = look(path);
	sqlite3_stmt *tables = NULL;
	size_t n = 0;
	char *attach = sqlite3_mprintf("ATTACH %Q AS other", other);
	assert_int_equal(sqlite3_exec(handle, attach, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_free(attach);
	assert_int_equal(
	        sqlite3_prepare_v2(handle,
	                           "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND "
	                           "name NOT IN ('cluster', 'cluster_change', 'journal_position', "
	                           "'search', 'search_data', 'search_idx', 'search_docsize', "
	                           "'search_config') AND (?1 OR name NOT LIKE 'search_%')",
	                           -1, &tables, NULL),
	        SQLITE_OK);
	assert_int_equal(sqlite3_bind_int(tables, 1, search), SQLITE_OK);
	for (; sqlite3_step(tables) == SQLITE_ROW; n++)
		same_rows(handle, (const char *)sqlite3_column_text(tables, 0));
	assert_true(n > least);
	(void)sqlite3_finalize(tables);
	(void)sqlite3_close(handle);
}

static void are_equal(bool search)
{
	same(a->settings.spool.path, b->settings.spool.path, search, 15);
	same(a->settings.customers.path, b->settings.customers.path, search, 28);
}

/* ---- tests ---- */

static int setup(void **state)
{
	(void)state;
	schemas_are_next = false;
	n_entries = 0;
	epoch = 0;
	a = world_new("2026-06-03T08:00:00Z");
	b = world_new("2026-06-03T08:00:00Z");
	stop(a);
	b->next_id = 1000; /* other events than a's */
	stop(b);
	own(a);
	office(a, "INSERT INTO customer (id, number, name, timezone) VALUES (1, '1', 'Farm', "
	          "'UTC'); INSERT INTO contact (customer, email) VALUES (1, 'farm@example.com')");
	world_turn(a);
	stop(a);
	seed(b, a);
	own(a);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(a);
	world_free(b);
	while (n_entries > 0)
		free((char *)(uintptr_t)entries[--n_entries].body);
	schemas_are_next = true;
	return 0;
}

static void works(struct world *w, const char *job, const char *office_sql)
{
	office(w, office_sql);
	world_event(w, "job.dispatched", job, "1", NULL, NULL);
	world_event(w, "job.completed", job, "1", NULL, NULL);
	world_deliver(w, DELIVERY_SENT);
	world_turn(w);
}

/* The new program on b follows the old one's owner, a, and is the owner then. */
static void upgrade_standby(void)
{
	works(a, "j1", "UPDATE customer SET name = 'One'");
	schemas_are_next = true;
	follow(b);
	have_versions(b, 21, 11);
	are_equal(false);
	schemas_are_next = false;
	works(a, "j2", "INSERT INTO customer (number, name) VALUES ('2', 'Second')");
	stop(a);
	schemas_are_next = true;
	own(b);
	have_versions(b, 22, 12);
	assert_int_equal(in_file(b->settings.spool.path, "SELECT count(*) FROM next"), 2);
	works(b, "j3", "UPDATE customer SET name = 'Three', next = 'three' WHERE id = 1");
}

static void test_the_standby_goes_first(void **state)
{
	struct error err;
	(void)state;
	upgrade_standby();
	/* The old program follows up to the fence and says what to do. */
	schemas_are_next = false;
	struct replica *replica = follow_begin(a);
	assert_false(follow_all(replica, &err));
	assert_int_equal(err.code, EX_CONFIG);
	assert_non_null(strstr(err.text, "the owner's spool.db is of schema 22, and this program "
	                                 "knows 21: upgrade dispatchd on this machine"));
	replica_close(replica);
	have_versions(a, 21, 11);
	schemas_are_next = true;
	follow(a);
	have_versions(a, 22, 12);
	are_equal(true);
	/* With a trigger that the migration has made, by the owner alone. */
	assert_int_equal(
	        in_file(a->settings.spool.path, "SELECT count(*) FROM mail WHERE next = 2 * id"),
	        2);
	/* And back. */
	stop(b);
	own(a);
	works(a, "j4", "UPDATE customer SET dba = 'Four' WHERE id = 2");
	follow(b);
	are_equal(true);
}

static void test_an_older_schema_than_the_files_is_refused(void **state)
{
	struct error err;
	(void)state;
	upgrade_standby();
	stop(b);
	struct replica *replica = follow_begin(b);
	struct journal_position before = replica_position(replica);
	schemas_are_next = false;
	struct journal_entry fence = replica_fence(++epoch);
	journal_seal(&key, &before, &fence);
	schemas_are_next = true;
	assert_false(replica_apply(replica, &key, &fence, 1, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_non_null(strstr(err.text, "the owner's spool.db is of schema 21, and this machine's "
	                                 "of 22 already: seed it again"));
	assert_int_equal(replica_position(replica).number, before.number);
	replica_close(replica);
}

/* A new version's tools don't migrate what the old owner's journal goes on with. */
static void test_nobody_else_migrates_it(void **state)
{
	struct error err;
	(void)state;
	stop(a);
	schemas_are_next = true;
	const enum db_mode modes[] = {DB_READ, DB_WRITE};
	for (size_t i = 0; i < 2; i++) {
		assert_null(spool_open(a->settings.spool.path, modes[i], &err));
		assert_int_equal(err.code, EX_TEMPFAIL);
		assert_non_null(strstr(err.text, "is a cluster's and of schema 21"));
		assert_null(customers_open(a->settings.customers.path, modes[i], &err));
		assert_int_equal(err.code, EX_TEMPFAIL);
	}
	have_versions(a, 21, 11);
	/* Without a cluster they are, by the engine. */
	a->engine = engine_open(&a->settings, a->now, &err);
	assert_non_null(a->engine);
	have_versions(a, 22, 12);
}

/* The old owner is back before anybody had the office's last change. */
static void test_a_change_from_before_the_migration_is_refused(void **state)
{
	struct error err;
	(void)state;
	office(a, "UPDATE customer SET name = 'Unheard'");
	stop(a);
	schemas_are_next = true;
	own(a);
	world_turn(a);
	struct replica *replica = follow_begin(b);
	assert_false(follow_all(replica, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_non_null(strstr(err.text, "before a migration"));
	replica_close(replica);
}

/* By a program that isn't dispatchd's, before the migration of the copy. */
static void test_foreign_writing_is_found_behind_a_migration(void **state)
{
	struct error err;
	(void)state;
	schemas_are_next = true;
	struct replica *replica = follow_begin(b);
	replica_close(replica);
	sqlite3 *handle = look(b->settings.customers.path);
	assert_int_equal(
	        sqlite3_exec(handle, "UPDATE customer SET timezone = ''", NULL, NULL, NULL),
	        SQLITE_OK);
	(void)sqlite3_close(handle);
	stop(a);
	own(a);
	office(a, "UPDATE customer SET dba = 'Heard'");
	world_turn(a);
	replica = follow_begin(b);
	assert_false(follow_all(replica, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_non_null(strstr(err.text, "this copy has to be seeded again"));
	replica_close(replica);
}

/* Those before it are made, in one transaction, and none behind it. */
static void test_an_entry_among_others_is_refused(void **state)
{
	struct error err;
	(void)state;
	follow(b);
	size_t first = n_entries;
	for (int i = 0; i < 4; i++) {
		world_event(a, "job.completed", (const char *[]){"k1", "k2", "k3", "k4"}[i], "1",
		            NULL, NULL);
		world_turn(a);
	}
	assert_true(n_entries > first + 2);
	struct journal_entry *bad = &entries[n_entries - 2];
	bad->seal[0] ^= 1;
	struct replica *replica = follow_begin(b);
	assert_false(follow_all(replica, &err));
	assert_int_equal(err.code, EX_DATAERR);
	assert_int_equal(replica_position(replica).number, bad->number - 1);
	bad->seal[0] ^= 1;
	assert_true(follow_all(replica, &err));
	assert_int_equal(replica_position(replica).number, bad->number + 1);
	replica_close(replica);
	are_equal(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_the_standby_goes_first, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_an_older_schema_than_the_files_is_refused,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(test_an_entry_among_others_is_refused, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_nobody_else_migrates_it, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_change_from_before_the_migration_is_refused,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(test_foreign_writing_is_found_behind_a_migration,
	                                        setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
