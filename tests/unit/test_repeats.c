/* SPDX-License-Identifier: MIT */
/* The log's limit: whatever comes over and over is written once a minute. The clock is the test's.
 */
#include "common/clock.h"
#include "dispatchd/sys/repeats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include <cmocka.h>

static int64_t now_ms = 1000000;

struct tick clock_tick(void)
{
	return (struct tick){now_ms};
}

/* After a minute in which nothing came, all is as at the start. */
static int begin(void **state)
{
	struct repeats_line line;
	(void)state;
	now_ms += 3600 * 1000;
	while (repeats_last(&line))
		free(line.text);
	now_ms += 60 * 1000;
	(void)repeats_overflow();
	return 0;
}

static bool due(const char *text, unsigned *ret_kept_back)
{
	return repeats_due(repeats_key(text), LOG_WARNING, text, ret_kept_back);
}

static void once_a_minute_and_then_how_often(void **state)
{
	(void)state;
	unsigned kept_back;
	assert_true(due("the disk is full", &kept_back));
	assert_int_equal(kept_back, 0);
	for (int i = 0; i < 599; i++) {
		now_ms += 100;
		assert_false(due("the disk is full", &kept_back));
	}
	now_ms += 100;
	assert_true(due("the disk is full", &kept_back));
	assert_int_equal(kept_back, 599);
	assert_false(due("the disk is full", &kept_back));
	now_ms += 60 * 1000;
	assert_true(due("the disk is full", &kept_back));
	assert_int_equal(kept_back, 1);
}

static void another_line_has_a_minute_of_its_own(void **state)
{
	(void)state;
	unsigned kept_back;
	assert_true(due("relay is down relay=mx1 reply=\"421 busy\"", &kept_back));
	assert_true(due("relay is down relay=mx2 reply=\"421 busy\"", &kept_back));
	assert_false(due("relay is down relay=mx1 reply=\"421 busy\"", &kept_back));
}

/* A peer that says something else each time fills no log. */
static void words_of_others_make_no_other_line(void **state)
{
	(void)state;
	unsigned kept_back;
	assert_true(due("relay is down relay=mx3 reply=\"421 try 1\" n=5", &kept_back));
	assert_false(due("relay is down relay=mx3 reply=\"421 try 2\" n=5", &kept_back));
	assert_true(due("relay is down relay=mx3 reply=\"421 try 2\" n=6", &kept_back));
}

/* Many lines between two of the same don't have it forgotten; those beyond the table are counted.
 */
static void many_different_lines_forget_none(void **state)
{
	(void)state;
	unsigned kept_back, written = 0;
	char text[64];
	assert_true(due("first", &kept_back));
	for (int i = 0; i < 5 * REPEATS_SLOTS; i++) {
		snprintf(text, sizeof text, "line %d", i);
		written += due(text, &kept_back);
		assert_false(due("first", &kept_back));
	}
	assert_int_equal(written, REPEATS_SLOTS - 1);
	assert_int_equal(repeats_overflow(), 4 * REPEATS_SLOTS + 1);
	assert_int_equal(repeats_overflow(), 0);
	assert_false(due("yet another", &kept_back));
	assert_int_equal(repeats_overflow(), 0); /* that minute isn't over */
	now_ms += 60 * 1000;
	assert_int_equal(repeats_overflow(), 1);
	assert_true(due("first", &kept_back));
	assert_int_equal(kept_back, 5 * REPEATS_SLOTS);
	assert_true(due("yet another", &kept_back));
}

static void assert_last(const char *text, unsigned before, int64_t ago_ms)
{
	struct repeats_line line;
	assert_true(repeats_last(&line));
	assert_string_equal(line.text, text);
	assert_int_equal(line.level, LOG_WARNING);
	assert_int_equal(line.before, before);
	assert_int_equal(line.ago_ms, ago_ms);
	free(line.text);
}

/* Nobody says it again, but how it ended is known once the minute is over, in the order in which
 * it happened; and that begins another minute. */
static void the_last_one_follows_when_the_minute_is_over(void **state)
{
	(void)state;
	unsigned kept_back;
	struct repeats_line line;
	assert_true(due("relay=mx1 is down reply=\"1\"", &kept_back));
	assert_true(due("relay=mx1 is up", &kept_back));
	now_ms += 20 * 1000;
	assert_false(due("relay=mx1 is up", &kept_back));
	assert_false(due("relay=mx1 is down reply=\"2\"", &kept_back));
	now_ms += 1000;
	assert_false(due("relay=mx1 is up", &kept_back));
	now_ms += 1000;
	assert_false(due("relay=mx1 is down reply=\"3\"", &kept_back));
	assert_false(repeats_last(&line));
	now_ms += 38 * 1000;
	assert_last("relay=mx1 is up", 1, 39 * 1000);
	assert_last("relay=mx1 is down reply=\"3\"", 1, 38 * 1000);
	assert_false(repeats_last(&line));
	assert_false(due("relay=mx1 is down reply=\"4\"", &kept_back));
	now_ms += 60 * 1000;
	assert_last("relay=mx1 is down reply=\"4\"", 0, 60 * 1000);
	now_ms += 60 * 1000;
	assert_true(due("relay=mx1 is down reply=\"5\"", &kept_back));
	assert_int_equal(kept_back, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(once_a_minute_and_then_how_often, begin),
	        cmocka_unit_test_setup(another_line_has_a_minute_of_its_own, begin),
	        cmocka_unit_test_setup(words_of_others_make_no_other_line, begin),
	        cmocka_unit_test_setup(many_different_lines_forget_none, begin),
	        cmocka_unit_test_setup(the_last_one_follows_when_the_minute_is_over, begin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
