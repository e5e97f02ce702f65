/* SPDX-License-Identifier: MIT */
/* No id of a mail or an outcome is given twice: after a purge of all mails, after a restore. */
#include "spool_file.h"

#include "spool/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *path;
static struct spool *spool;
static struct arena *arena;
static const struct instant now = {1780488000000};
static const int64_t day_ms = 86400000;

static int setup(void **state)
{
	(void)state;
	path = spool_file_make();
	spool = spool_open(path, DB_WRITE, NULL);
	arena = arena_new();
	assert_non_null(spool);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool = spool_close(spool);
	arena = arena_free(arena);
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

/* One of the office's, sent. */
static int64_t add_sent(struct instant at)
{
	struct spool_mail mail = {
	        .contact = MAIL_OFFICE,
	        .state = "collision",
	        .status = STATUS_SENDING,
	        .reason = REASON_OK,
	        .made = at,
	        .due = at,
	        .expires = instant_add(at, day_ms),
	        .address = "office@example.com",
	        .reply = "",
	        .message_id = "<m@example.com>",
	        .thread_id = "<t@example.com>",
	};
	spool_mail_add(spool, &mail);
	spool_mail_move(spool, &mail, STATUS_SENT, REASON_OK, at);
	return mail.id;
}

static int64_t add_outcome(void)
{
	struct spool_outcome outcome = {
	        .time = now, .status = STATUS_SENT, .reason = REASON_OK, .fields = ""};
	spool_outcome_add(spool, &outcome);
	return outcome.seq;
}

static void a_purge_of_all_mails(void **state)
{
	(void)state;
	struct spool_mail mail;
	struct instant old = instant_add(now, -100 * day_ms);
	begin();
	int64_t first = add_sent(old), last = add_sent(old);
	commit();
	begin();
	while (spool_purge(spool, instant_add(now, -90 * day_ms), now, 1000))
		;
	assert_false(spool_mail_load(spool, first, arena, &mail));
	assert_false(spool_mail_load(spool, last, arena, &mail));
	commit();
	spool = spool_close(spool);
	spool = spool_open(path, DB_WRITE, NULL);
	begin();
	assert_true(spool_mail_new_id(spool) > last);
	commit();
}

static void a_restore(void **state)
{
	(void)state;
	begin();
	int64_t mail = add_sent(now), outcome = add_outcome();
	commit();
	begin();
	spool_jump(spool);
	commit();
	begin();
	assert_true(add_sent(now) > mail + 1000000);
	assert_int_equal(spool_unpublished(spool), 1);
	int64_t next = add_outcome();
	assert_true(next > outcome + 1000000);
	assert_int_equal(spool_unpublished(spool), 2);
	int64_t again = add_sent(now);
	commit();
	begin();
	spool_set_published(spool, outcome);
	assert_int_equal(spool_unpublished(spool), 1);
	spool_set_published(spool, next);
	assert_int_equal(spool_unpublished(spool), 0);
	commit();
	begin();
	assert_int_equal(spool_mail_new_id(spool), again + 1);
	commit();
}

/* Of a spool that had nothing yet. */
static void a_restore_of_an_empty_one(void **state)
{
	(void)state;
	begin();
	spool_jump(spool);
	commit();
	begin();
	assert_true(add_sent(now) > 1000000);
	assert_true(add_outcome() > 1000000);
	commit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_purge_of_all_mails, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_restore, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_restore_of_an_empty_one, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
