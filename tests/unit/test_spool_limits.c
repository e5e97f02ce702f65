/* SPDX-License-Identifier: MIT */
/* Slots of contacts as they are kept and purged, and how many mails are held back. */
#include "spool/spool_limits.h"
#include "spool_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { HOUR_MS = 3600000 };

static const char *path;
static struct spool *spool;
static const struct instant now = {1780488000000};

static int setup(void **state)
{
	(void)state;
	struct error err;
	path = spool_file_make();
	spool = spool_open(path, DB_WRITE, &err);
	assert_non_null(spool);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool = spool_close(spool);
	return spool_file_remove();
}

static bool count_one(void *arg, int64_t at)
{
	(void)at;
	++*(size_t *)arg;
	return true;
}

static size_t slots(void)
{
	size_t n = 0;
	spool_each_slot(spool, 7, (struct instant){0}, 0, count_one, &n);
	return n;
}

static void add_slots(int64_t first, int64_t last, struct instant at)
{
	for (int64_t mail = first; mail <= last; mail++)
		spool_slot_set(spool, mail, 7, at);
}

/* By a window of an hour, as many at a time as `rows`. */
static bool purge(struct instant t, int64_t rows)
{
	return spool_slots_purge(spool, instant_add(t, -HOUR_MS), t, rows);
}

static void a_round_ends_at_the_first_slot_that_counts(void **state)
{
	(void)state;
	spool_file_begin(spool);
	add_slots(1, 4, instant_add(now, -2 * HOUR_MS));
	add_slots(5, 5, instant_add(now, HOUR_MS)); /* it waits */
	add_slots(6, 7, instant_add(now, -2 * HOUR_MS));
	add_slots(8, 40, now);
	assert_true(purge(now, 3));
	assert_int_equal(slots(), 37);
	assert_true(purge(now, 3));
	assert_int_equal(slots(), 35);
	assert_false(purge(now, 3));
	assert_int_equal(slots(), 34);
	assert_false(purge(now, 3));
	spool_file_commit(spool);
}

/* What waited is found once it has been, and counts no more; what waits still is left. */
static void what_waited_goes_in_a_later_round(void **state)
{
	(void)state;
	spool_file_begin(spool);
	add_slots(1, 1, instant_add(now, HOUR_MS));
	add_slots(2, 2, instant_add(now, 100 * (int64_t)HOUR_MS));
	add_slots(3, 3, now);
	assert_false(purge(now, 100));
	assert_int_equal(slots(), 3);
	for (int hours = 1; hours <= 4; hours++)
		(void)purge(instant_add(now, hours * (int64_t)HOUR_MS), 100);
	assert_int_equal(slots(), 1);
	spool_file_commit(spool);
}

static void without_a_limit_all_go(void **state)
{
	(void)state;
	spool_file_begin(spool);
	add_slots(1, 10, instant_add(now, HOUR_MS));
	assert_true(spool_slots_purge(spool, INSTANT_NEVER, now, 4));
	assert_true(spool_slots_purge(spool, INSTANT_NEVER, now, 4));
	assert_false(spool_slots_purge(spool, INSTANT_NEVER, now, 4));
	assert_int_equal(slots(), 0);
	spool_file_commit(spool);
}

static int64_t held(struct spool *of)
{
	struct error err;
	json_t *json;
	assert_true(spool_read_breaker(of, &json, &err));
	int64_t n = json_integer_value(json_object_get(json, "held"));
	json_decref(json);
	return n;
}

/* Who reads beside the engine sees each commit, whenever it opened the file. */
static void who_reads_sees_how_many_are_held(void **state)
{
	(void)state;
	struct error err;
	struct spool_mail mail = {
	        .contact = 7,
	        .state = "completed",
	        .status = STATUS_DEFERRED,
	        .reason = REASON_HELD_BACK,
	        .made = now,
	        .due = INSTANT_NEVER,
	        .expires = instant_add(now, HOUR_MS),
	        .address = "ann@example.com",
	        .message_id = "",
	        .thread_id = "",
	        .reply = "",
	};
	struct spool *reader = spool_open(path, DB_READ, &err);
	assert_non_null(reader);
	assert_int_equal(held(reader), 0);
	for (int i = 0; i < 12; i++) {
		spool_file_begin(spool);
		mail.id = 0;
		spool_mail_add(spool, &mail);
		spool_file_commit(spool);
	}
	assert_int_equal(held(reader), 12);
	spool_file_begin(spool);
	mail.due = now;
	spool_mail_move(spool, &mail, STATUS_QUEUED, REASON_OK, now);
	spool_file_commit(spool);
	assert_int_equal(held(reader), 11);
	assert_null(spool_close(reader));
}

/* The last mail's id isn't given again once it has joined another. */
static void a_mail_that_joined_another_is_no_more(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct spool_mail mails[2], loaded;
	spool_file_begin(spool);
	int64_t job = spool_job_add(spool, "1001", "J", JOB_COMPLETED);
	for (int i = 0; i < 2; i++) {
		struct job_event event = {
		        .state = JOB_COMPLETED,
		        .id = i == 0 ? "a" : "b",
		        .source = "s",
		        .job = "J",
		        .customer = "1001",
		        .time = now,
		        .time_published = now,
		        .received = now,
		        .data = "{}",
		        .entry_id = "",
		};
		mails[i] = (struct spool_mail){
		        .contact = 7,
		        .event = spool_event_add(spool, &event, job, STATUS_DEFERRED,
		                                 REASON_HELD_BACK, "[]"),
		        .job = job,
		        .state = "completed",
		        .status = STATUS_DEFERRED,
		        .reason = REASON_HELD_BACK,
		        .made = now,
		        .due = INSTANT_NEVER,
		        .expires = instant_add(now, HOUR_MS),
		        .address = "ann@example.com",
		        .message_id = "",
		        .thread_id = "",
		        .reply = "",
		};
		spool_mail_add(spool, &mails[i]);
	}
	spool_file_commit(spool);
	spool_file_begin(spool);
	spool_mail_merge(spool, &mails[1], mails[0].id);
	spool_file_commit(spool);
	assert_int_equal(spool_notice_count(spool, mails[0].id), 2);
	assert_false(spool_mail_load(spool, mails[1].id, arena, &loaded));
	assert_int_equal(spool_mail_count(spool, STATUS_DEFERRED), 1);
	assert_int_equal(held(spool), 1);
	spool_file_begin(spool);
	assert_int_equal(spool_mail_new_id(spool), mails[1].id + 1);
	spool_file_commit(spool);
	arena_free(arena);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(a_round_ends_at_the_first_slot_that_counts),
	        test(what_waited_goes_in_a_later_round),
	        test(without_a_limit_all_go),
	        test(who_reads_sees_how_many_are_held),
	        test(a_mail_that_joined_another_is_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
