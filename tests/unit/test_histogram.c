/* SPDX-License-Identifier: MIT */
/* How long things took, as Prometheus reads it: buckets add up, labels are escaped. */
#include "model/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_has(const struct buf *text, const char *line)
{
	if (strstr(buf_text(text), line) == NULL)
		fail_msg("no %s in\n%s", line, buf_text(text));
}

static void each_bucket_has_those_below(void **state)
{
	(void)state;
	struct histogram histogram = {0};
	struct buf text = {0};
	histogram_add(&histogram, 0.001); /* a bound is in its bucket */
	histogram_add(&histogram, 0.3);
	histogram_add(&histogram, 7200);
	histogram_print(&histogram, METRIC_COMMIT_SECONDS, &text);
	assert_has(&text, "# TYPE dispatchd_commit_seconds histogram\n");
	assert_has(&text, "\ndispatchd_commit_seconds_bucket{le=\"0.001\"} 1\n");
	assert_has(&text, "\ndispatchd_commit_seconds_bucket{le=\"0.1\"} 1\n");
	assert_has(&text, "\ndispatchd_commit_seconds_bucket{le=\"0.5\"} 2\n");
	assert_has(&text, "\ndispatchd_commit_seconds_bucket{le=\"3600\"} 2\n");
	assert_has(&text, "\ndispatchd_commit_seconds_bucket{le=\"+Inf\"} 3\n");
	assert_has(&text, "\ndispatchd_commit_seconds_sum 7200.301000\n");
	assert_has(&text, "\ndispatchd_commit_seconds_count 3\n");
	buf_free(&text);
}

static void a_label_comes_before_the_bound(void **state)
{
	(void)state;
	struct histogram histogram = {0};
	struct buf text = {0};
	histogram_add(&histogram, 2);
	histogram_samples(&histogram, METRIC_RELAY_SECONDS, "relay", "a\"b\\", &text);
	assert_ptr_equal(strstr(buf_text(&text), "# "), NULL);
	assert_has(&text, "dispatchd_relay_seconds_bucket{relay=\"a\\\"b\\\\\",le=\"5\"} 1\n");
	assert_has(&text, "\ndispatchd_relay_seconds_sum{relay=\"a\\\"b\\\\\"} 2.000000\n");
	assert_has(&text, "\ndispatchd_relay_seconds_count{relay=\"a\\\"b\\\\\"} 1\n");
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_bucket_has_those_below),
	        cmocka_unit_test(a_label_comes_before_the_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
