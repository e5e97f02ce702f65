/* SPDX-License-Identifier: MIT */
/* A customer's jobs are all found, listed or not yet: while many come, after a turn that failed, a
 * restart, another number, a purge. */
#include "spool_file.h"
#include "tables.h"

#include "spool/spool.h"
#include "spool/spool_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUSTOMERS = 97, TURN = 400, MANY = 35000, DAY_MS = 86400000 };

static const char *path;
static struct spool *spool, *reader;
static size_t jobs_of[CUSTOMERS];
static unsigned n_jobs;
static const struct instant now = {1780488000000};
static struct instant listing_at; /* the clock of the turns that list */

static int setup(void **state)
{
	(void)state;
	path = spool_file_make();
	spool = spool_open(path, DB_WRITE, NULL);
	reader = spool_open(path, DB_READ, NULL);
	assert_non_null(spool);
	assert_non_null(reader);
	memset(jobs_of, 0, sizeof jobs_of);
	n_jobs = 0;
	listing_at = now;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool = spool_close(spool);
	reader = spool_close(reader);
	return spool_file_remove();
}

static void begin(void)
{
	spool_file_begin(spool);
}

static bool list_and_commit(void)
{
	struct instant again = spool_list_jobs(spool, listing_at);
	spool_file_commit(spool);
	bool more = again.ms != INSTANT_NEVER.ms;
	assert_true(!more || again.ms > listing_at.ms);
	listing_at = more ? again : instant_add(listing_at, 1000);
	return more;
}

static const char *number_of(unsigned customer, char ret[16])
{
	(void)snprintf(ret, 16, "C%u", customer);
	return ret;
}

/* The next job, of customers in no order; with an event where it is old. */
static void add_job(struct instant old)
{
	char number[16], name[16];
	unsigned customer = n_jobs * 7919u % CUSTOMERS;
	(void)snprintf(name, sizeof name, "J%u", n_jobs++);
	int64_t job = spool_job_add(spool, number_of(customer, number), name, JOB_STARTED);
	if (!instant_is_none(old)) {
		struct job_event event = {.state = JOB_STARTED,
		                          .id = name,
		                          .source = "",
		                          .job = name,
		                          .customer = number,
		                          .time = old,
		                          .time_published = old,
		                          .received = old,
		                          .data = "{}",
		                          .entry_id = ""};
		(void)spool_event_add(spool, &event, job, STATUS_SUPPRESSED, REASON_OK, "[]");
	}
	jobs_of[customer]++;
}

static size_t found_of(const char *number)
{
	json_t *pending;
	struct error err;
	if (!spool_read_pending(reader, number, &pending, &err))
		fail_msg("%s", err.text);
	size_t n = json_array_size(json_object_get(pending, "under_way"));
	json_decref(pending);
	return n;
}

static void all_found(unsigned step)
{
	char number[16];
	for (unsigned i = n_jobs % step; i < CUSTOMERS; i += step)
		assert_int_equal(found_of(number_of(i, number)), jobs_of[i]);
}

static void turn(unsigned n)
{
	begin();
	for (unsigned i = 0; i < n; i++)
		add_job(INSTANT_NONE);
	(void)list_and_commit();
}

static int64_t count(const char *sql)
{
	return tables_number(path, sql);
}

static int64_t unlisted(void)
{
	return count("SELECT count(*) FROM job WHERE id > (SELECT value FROM meta WHERE key = "
	             "'jobs_listed')");
}

/* Turns without new jobs, until all are listed: then the list is what the jobs say. */
static void list_all(void)
{
	int turns = 0;
	do {
		begin();
		assert_true(turns++ < 100);
	} while (list_and_commit());
	assert_int_equal(unlisted(), 0);
	assert_int_equal(count("SELECT count(*) FROM job"),
	                 count("SELECT count(*) FROM customer_job"));
	assert_int_equal(count("SELECT count(*) FROM job j JOIN customer_job k ON k.job = j.id AND "
	                       "k.customer = j.customer"),
	                 count("SELECT count(*) FROM job"));
}

static void few_are_listed_in_their_turn(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		turn(3);
		assert_int_equal(unlisted(), 0);
		all_found(1);
	}
	list_all();
}

/* Turns without any new job are between those with many, while mails come back. */
static void many_wait_until_it_is_quiet(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		begin();
		for (unsigned k = 0; k < TURN; k++)
			add_job(INSTANT_NONE);
		(void)spool_list_jobs(spool, instant_add(listing_at, 10));
		spool_file_commit(spool);
		begin();
		struct instant again = spool_list_jobs(spool, instant_add(listing_at, 20));
		assert_int_equal(again.ms, listing_at.ms + 10 + 1000);
		spool_file_commit(spool);
		listing_at = instant_add(listing_at, 50);
	}
	assert_int_equal(unlisted(), n_jobs);
	all_found(7);
	/* A clock that is set back doesn't keep them waiting. */
	begin();
	assert_int_not_equal(spool_list_jobs(spool, instant_add(listing_at, -DAY_MS)).ms,
	                     INSTANT_NEVER.ms);
	spool_file_commit(spool);
	assert_true(unlisted() < n_jobs || count("SELECT count(*) FROM customer_job") > 0);
	list_all();
}

/* Not each by itself, each at a page of its own. */
static void few_at_a_time_are_listed_once_a_second(void **state)
{
	(void)state;
	struct instant at = listing_at;
	for (int i = 0; i < 100; i++) {
		begin();
		add_job(INSTANT_NONE);
		at = instant_add(at, 9);
		(void)spool_list_jobs(spool, at);
		spool_file_commit(spool);
	}
	assert_int_equal(unlisted(), 99);
	begin();
	assert_int_equal(spool_list_jobs(spool, instant_add(at, 200)).ms, INSTANT_NEVER.ms);
	spool_file_commit(spool);
	assert_int_equal(unlisted(), 0);
}

static void of_many_all_are_found(void **state)
{
	(void)state;
	int64_t most = 0;
	while (n_jobs < 2 * MANY) {
		turn(TURN);
		if (n_jobs % (5 * TURN) == 0)
			all_found(17);
		most = unlisted() > most ? unlisted() : most;
	}
	assert_in_range(most, 20000, 60000);
	list_all();
	all_found(1);
}

static void until_listing_is_half_done(void)
{
	while (n_jobs < 36000)
		turn(TURN);
	assert_true(count("SELECT count(*) FROM customer_job") > 0);
	assert_true(unlisted() > 32000);
}

static void a_listing_begins_again(void **state)
{
	(void)state;
	until_listing_is_half_done();
	begin();
	(void)spool_list_jobs(spool, listing_at);
	spool_rollback(spool);
	all_found(9);
	turn(TURN);
	all_found(9);
	spool = spool_close(spool);
	spool = spool_open(path, DB_WRITE, NULL);
	turn(TURN);
	all_found(9);
	list_all();
	all_found(1);
}

static void add_deferred(int64_t job)
{
	struct spool_mail mail = {.contact = 7,
	                          .event = 1,
	                          .job = job,
	                          .state = "started",
	                          .status = STATUS_DEFERRED,
	                          .reason = REASON_OUTSIDE_HOURS,
	                          .made = now,
	                          .due = now,
	                          .expires = now,
	                          .message_id = "",
	                          .thread_id = ""};
	spool_mail_add(spool, &mail);
}

/* One of each customer's mails is about a job that is listed, and one about one that isn't. */
static void what_waits_for_a_customer_is_found(void **state)
{
	(void)state;
	static const char *const changed[] = {"C5", "C96", "none"};
	struct error err;
	assert_true(spool_recheck_open(spool, &err));
	until_listing_is_half_done();
	begin();
	for (unsigned i = 0; i < CUSTOMERS; i++) {
		add_deferred(1 + i);
		add_deferred(n_jobs - i);
	}
	(void)list_and_commit();
	for (int round = 0; round < 2; round++) {
		begin();
		spool_recheck_customers(spool, changed, 3);
		assert_int_equal(spool_recheck_list(spool, RECHECK_DEFERRED, 1000), 4);
		spool_rollback(spool);
		begin();
		spool_recheck_customers(spool, changed + 1, 2);
		assert_int_equal(spool_recheck_list(spool, RECHECK_DEFERRED, 1000), 2);
		spool_recheck_done(spool, RECHECK_DEFERRED, 0, INT64_MAX);
		spool_recheck_customers(spool, changed, 2);
		assert_int_equal(spool_recheck_list(spool, RECHECK_DEFERRED, 1000), 4);
		spool_recheck_done(spool, RECHECK_DEFERRED, 0, INT64_MAX);
		(void)list_and_commit();
		list_all();
	}
}

static void jobs_follow_while_they_are_listed(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	until_listing_is_half_done();
	begin();
	(void)spool_job_add(spool, "new", "J5", JOB_STARTED); /* C? has a J5, too */
	char number[16];
	unsigned other = 5 * 7919u % CUSTOMERS;
	size_t n = spool_renumber(spool, number_of(other, number), "new", arena);
	assert_int_equal(n, jobs_of[other]);
	(void)list_and_commit();
	assert_int_equal(found_of("new"), jobs_of[other]);
	assert_int_equal(found_of(number), 0);
	list_all();
	assert_int_equal(found_of("new"), jobs_of[other]);
	begin();
	assert_int_equal(spool_renumber(spool, "new", number, arena), jobs_of[other]);
	(void)list_and_commit();
	all_found(1);
	arena_free(arena);
}

static void a_purge_leaves_no_job_in_the_list(void **state)
{
	(void)state;
	struct instant old = instant_add(now, -100LL * DAY_MS);
	for (int t = 0; n_jobs < 17000; t++) {
		begin();
		for (unsigned i = 0; i < TURN; i++)
			add_job(i % 2 == 0 ? old : now);
		(void)list_and_commit();
	}
	assert_true(unlisted() > 0);
	for (bool more = true; more;) {
		begin();
		more = spool_purge(spool, instant_add(now, -DAY_MS), now, 1000);
		(void)list_and_commit();
	}
	list_all();
	assert_true(count("SELECT count(*) FROM job") < n_jobs);
}

/* Else it would count as listed. */
static void an_id_of_a_job_that_went_is_not_used_again(void **state)
{
	(void)state;
	begin();
	add_job(instant_add(now, -100LL * DAY_MS));
	(void)list_and_commit();
	begin();
	while (spool_purge(spool, instant_add(now, -DAY_MS), now, 1000))
		;
	(void)list_and_commit();
	assert_int_equal(count("SELECT count(*) FROM job"), 0);
	spool = spool_close(spool);
	spool = spool_open(path, DB_WRITE, NULL);
	memset(jobs_of, 0, sizeof jobs_of);
	for (int i = 0; i < 2; i++) {
		begin();
		for (unsigned k = 0; k < TURN; k++)
			add_job(INSTANT_NONE);
		(void)list_and_commit();
		all_found(1);
	}
	list_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(few_are_listed_in_their_turn, setup, teardown),
	        cmocka_unit_test_setup_teardown(many_wait_until_it_is_quiet, setup, teardown),
	        cmocka_unit_test_setup_teardown(few_at_a_time_are_listed_once_a_second, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(of_many_all_are_found, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_listing_begins_again, setup, teardown),
	        cmocka_unit_test_setup_teardown(what_waits_for_a_customer_is_found, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(jobs_follow_while_they_are_listed, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_purge_leaves_no_job_in_the_list, setup, teardown),
	        cmocka_unit_test_setup_teardown(an_id_of_a_job_that_went_is_not_used_again, setup,
	                                        teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
