/* SPDX-License-Identifier: MIT */
/* How many more mails may be in hand, by how many have gone just now. */
#include "dispatchd/mailer/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t begin_ms = 1000000;

static void note(struct pace *pace, int64_t now_ms, size_t n)
{
	while (n-- > 0)
		pace_note(pace, now_ms);
}

static void what_went_in_the_span_before_counts(void **state)
{
	(void)state;
	struct pace pace = {0};
	assert_int_equal(pace_mails(&pace, begin_ms), 0);
	note(&pace, begin_ms, 30);
	note(&pace, begin_ms + PACE_MS - 1, 10);
	assert_int_equal(pace_mails(&pace, begin_ms + PACE_MS - 1), 0); /* not yet over */
	note(&pace, begin_ms + PACE_MS, 1);
	assert_int_equal(pace_mails(&pace, begin_ms + PACE_MS), 40);
	note(&pace, begin_ms + 2 * PACE_MS, 1);
	assert_int_equal(pace_mails(&pace, begin_ms + 2 * PACE_MS), 1);
}

static void nothing_counts_where_mails_have_stopped(void **state)
{
	(void)state;
	struct pace pace = {0};
	note(&pace, begin_ms, 40);
	note(&pace, begin_ms + PACE_MS, 40);
	assert_int_equal(pace_mails(&pace, begin_ms + 3 * PACE_MS - 1), 40);
	assert_int_equal(pace_mails(&pace, begin_ms + 3 * PACE_MS), 0);
	note(&pace, begin_ms + 3 * PACE_MS, 1); /* goes on, after a span with none */
	assert_int_equal(pace_mails(&pace, begin_ms + 3 * PACE_MS), 0);
}

static void a_slow_relay_gets_nothing_more(void **state)
{
	(void)state;
	struct pace pace = {0};
	for (int64_t i = 0; i < 20; i++) {
		note(&pace, begin_ms + i * 2 * PACE_MS, 1);
		assert_int_equal(pace_mails(&pace, begin_ms + i * 2 * PACE_MS), 0);
	}
}

static void it_is_bounded(void **state)
{
	(void)state;
	struct pace pace = {0};
	note(&pace, begin_ms, 100000);
	note(&pace, begin_ms + PACE_MS, 1);
	assert_int_equal(pace_mails(&pace, begin_ms + PACE_MS), PACE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_went_in_the_span_before_counts),
	        cmocka_unit_test(nothing_counts_where_mails_have_stopped),
	        cmocka_unit_test(a_slow_relay_gets_nothing_more),
	        cmocka_unit_test(it_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
