/* SPDX-License-Identifier: MIT */
/* Reports about mails in the spool: each once, found again, kept for a while; and strikes. */
#include "spool_file.h"

#include "spool/spool.h"
#include "spool/spool_bounce.h"
#include "spool/spool_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY_MS = 86400000 };

static struct spool *spool;
static struct arena *arena;
static const struct instant now = {1780488000000};

static int setup(void **state)
{
	struct error err;
	(void)state;
	spool = spool_open(spool_file_make(), DB_WRITE, &err);
	assert_non_null(spool);
	arena = arena_new();
	assert_true(spool_begin(spool, &err));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool_rollback(spool);
	arena = arena_free(arena);
	spool = spool_close(spool);
	return spool_file_remove();
}

static struct spool_bounce report_of(int64_t mail, const char *verdict, int digest)
{
	struct spool_bounce bounce = {
	        .time = now,
	        .kind = "failed",
	        .verdict = verdict,
	        .mail = mail,
	        .contact = mail ? 7 : 0,
	        .address = "a@example.com",
	        .code = "5.1.1",
	        .text = "550 no such user",
	        .took = mail ? "marked" : "unknown",
	        .why = mail ? "" : "no_token",
	        .sender = "mailer-daemon@relay.example.com",
	        .message_id = "m@example.com",
	        .has_digest = digest != 0,
	};
	memset(bounce.digest, digest, sizeof bounce.digest);
	return bounce;
}

static int64_t add_mail(const char *message_id, struct instant made)
{
	struct spool_mail mail = {
	        .contact = 7,
	        .state = "completed",
	        .status = STATUS_QUEUED,
	        .reason = REASON_OK,
	        .made = made,
	        .due = made,
	        .expires = instant_add(made, DAY_MS),
	        .message_id = message_id,
	        .thread_id = "<t@example.com>",
	};
	spool_mail_add(spool, &mail);
	return mail.id;
}

static void a_report_is_known_by_its_digest_and_by_what_it_says(void **state)
{
	(void)state;
	struct spool_bounce first = report_of(4, "gone", 1);
	assert_false(spool_bounce_known(spool, &first));
	spool_bounce_add(spool, &first);
	assert_true(first.id > 0);
	struct spool_bounce same_mail = report_of(5, "gone", 1),
	                    same_words = report_of(4, "gone", 2),
	                    other_verdict = report_of(4, "busy", 2),
	                    no_digest = report_of(5, "gone", 0);
	assert_true(spool_bounce_known(spool, &same_mail));
	assert_true(spool_bounce_known(spool, &same_words));
	assert_false(spool_bounce_known(spool, &other_verdict));
	assert_false(spool_bounce_known(spool, &no_digest));
	/* What is about no mail is known by its digest alone. */
	struct spool_bounce unknown = report_of(0, "gone", 3), another = report_of(0, "gone", 4);
	spool_bounce_add(spool, &unknown);
	assert_false(spool_bounce_known(spool, &another));
	spool_bounce_add(spool, &another);
}

static void of_unknown_ones_the_latest_are_kept(void **state)
{
	(void)state;
	struct spool_bounce known = report_of(4, "gone", 0);
	spool_bounce_add(spool, &known);
	for (int i = 0; i < BOUNCE_UNKNOWN_MAX + 20; i++) {
		struct spool_bounce bounce = report_of(0, "gone", 0);
		spool_bounce_add(spool, &bounce);
	}
	struct error err;
	assert_true(spool_commit(spool, &err));
	json_t *list;
	struct spool_bounce_filter filter = {.unknown = true, .limit = 2 * BOUNCE_UNKNOWN_MAX};
	assert_true(spool_read_bounces(spool, &filter, &list, &err));
	assert_int_equal(json_array_size(list), BOUNCE_UNKNOWN_MAX);
	json_decref(list);
	filter = (struct spool_bounce_filter){.mail = 4, .limit = 10};
	assert_true(spool_read_bounces(spool, &filter, &list, &err));
	assert_int_equal(json_array_size(list), 1);
	json_t *row = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(row, "verdict")), "gone");
	assert_string_equal(json_string_value(json_object_get(row, "text")), "550 no such user");
	assert_int_equal(json_integer_value(json_object_get(row, "contact")), 7);
	json_decref(list);
	assert_true(spool_read_bounce(spool, known.id, &row, &err));
	json_decref(row);
	assert_false(spool_read_bounce(spool, 1000000, &row, &err));
	assert_int_equal(err.code, 66);
	assert_true(spool_begin(spool, &err));
}

static void old_ones_go(void **state)
{
	(void)state;
	struct spool_bounce old = report_of(4, "gone", 0), young = report_of(5, "gone", 0);
	old.time = instant_add(now, -100LL * DAY_MS);
	spool_bounce_add(spool, &old);
	spool_bounce_add(spool, &young);
	spool_strike_add(spool, 7, "a@example.com", (struct day){100}, old.time);
	spool_strike_add(spool, 7, "a@example.com", (struct day){200}, now);
	while (spool_purge(spool, instant_add(now, -90LL * DAY_MS), now, 10))
		;
	struct spool_bounce found;
	assert_false(spool_bounce_find(spool, 4, "", 0, arena, &found));
	assert_true(spool_bounce_find(spool, 5, "", 0, arena, &found));
	struct spool_strikes strikes;
	spool_strikes(spool, 7, "a@example.com", (struct day){0}, &strikes);
	assert_int_equal(strikes.n, 1);
}

static void refused_ones_are_counted(void **state)
{
	(void)state;
	for (int i = 1; i <= 6; i++) {
		struct spool_bounce bounce = report_of(i, "refused", 0);
		bounce.time = instant_add(now, -i * 20LL * 60000);
		spool_bounce_add(spool, &bounce);
	}
	struct spool_bounce unknown = report_of(0, "refused", 0);
	spool_bounce_add(spool, &unknown);
	assert_int_equal(spool_bounces_refused(spool, instant_add(now, -3600000)), 2);
	assert_int_equal(spool_bounces_refused(spool, instant_add(now, -DAY_MS)), 6);
	size_t n;
	struct spool_bounce *last = spool_bounces_refused_last(spool, 3, arena, &n);
	assert_int_equal(n, 3);
	assert_int_equal(last[0].mail, 1);
	assert_true(instant_is_none(spool_refusals_alarmed(spool)));
	spool_set_refusals_alarmed(spool, now);
	assert_int_equal(spool_refusals_alarmed(spool).ms, now.ms);
}

static void a_mail_is_found_by_its_message_id(void **state)
{
	(void)state;
	int64_t old = add_mail("<old@example.com>", instant_add(now, -15LL * DAY_MS));
	int64_t one = add_mail("<one@example.com>", instant_add(now, -13LL * DAY_MS));
	int64_t two = add_mail("<two@example.com>", now);
	struct instant since = instant_add(now, -14LL * DAY_MS);
	assert_int_equal(spool_mail_of_message_id(spool, "<one@example.com>", since), one);
	assert_int_equal(spool_mail_of_message_id(spool, "<two@example.com>", since), two);
	assert_int_equal(spool_mail_of_message_id(spool, "<old@example.com>", since), 0);
	assert_int_equal(spool_mails_since(spool, since, 10), 2);
	assert_int_equal(spool_mails_since(spool, instant_add(now, 1), 10), 0);
	assert_true(spool_mail_id_known(spool, old));
	assert_false(spool_mail_id_known(spool, two + 1));
	/* A restore leaves ids out: there are no more mails because of that, nor farther away. */
	spool_jump(spool);
	assert_true(spool_commit(spool, NULL));
	assert_true(spool_begin(spool, NULL));
	assert_true(spool_mail_id_known(spool, two + 1)); /* it may be out there */
	assert_true(add_mail("<three@example.com>", now) > two + 1000000);
	assert_int_equal(spool_mails_since(spool, since, 2), 2);
	assert_int_equal(spool_mails_since(spool, since, 10), 3);
	assert_int_equal(spool_mail_of_message_id(spool, "<one@example.com>", since), one);
}

static void days_are_counted_once_and_cleared(void **state)
{
	(void)state;
	struct spool_strikes strikes;
	const char *address = "a@example.com";
	spool_strike_add(spool, 7, address, (struct day){100}, now);
	spool_strike_add(spool, 7, address, (struct day){100}, instant_add(now, 5));
	spool_strike_add(spool, 7, address, (struct day){103}, instant_add(now, 3LL * DAY_MS));
	spool_strike_add(spool, 7, "b@example.com", (struct day){103}, now);
	spool_strikes(spool, 7, address, (struct day){0}, &strikes);
	assert_int_equal(strikes.n, 2);
	assert_int_equal(strikes.last.ms, now.ms + 3LL * DAY_MS);
	assert_true(instant_is_none(strikes.taken));
	/* The first mail that is taken counts, until the next day. */
	spool_strikes_taken(spool, 7, address, instant_add(now, 4LL * DAY_MS));
	spool_strikes_taken(spool, 7, address, instant_add(now, 5LL * DAY_MS));
	spool_strikes(spool, 7, address, (struct day){101}, &strikes);
	assert_int_equal(strikes.n, 1);
	assert_int_equal(strikes.taken.ms, now.ms + 4LL * DAY_MS);
	size_t n;
	int64_t *struck = spool_struck(spool, arena, &n);
	assert_int_equal(n, 1);
	assert_int_equal(struck[0], 7);
	spool_strikes_clear(spool, 7, address);
	spool_strikes(spool, 7, address, (struct day){0}, &strikes);
	assert_int_equal(strikes.n, 0);
	/* A contact that becomes another takes its days along. */
	spool_renumber_contact(spool, 7, 8);
	spool_strikes(spool, 8, "b@example.com", (struct day){0}, &strikes);
	assert_int_equal(strikes.n, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_report_is_known_by_its_digest_and_by_what_it_says),
	        TEST(of_unknown_ones_the_latest_are_kept),
	        TEST(old_ones_go),
	        TEST(refused_ones_are_counted),
	        TEST(a_mail_is_found_by_its_message_id),
	        TEST(days_are_counted_once_and_cleared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
