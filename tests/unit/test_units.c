/* SPDX-License-Identifier: MIT */
/*
 * Durations, sizes and waits: read, written back, refused.
 */
#include "base/backoff.h"
#include "base/buf.h"
#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void durations_are_read_and_written(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
		const char *back;
	} cases[] = {
	        {"0s", 0, "0s"},
	        {"0d", 0, "0s"},
	        {"500ms", 500, "500ms"},
	        {"30s", 30000, "30s"},
	        {"60s", 60000, "1m"},
	        {"90s", 90000, "90s"},
	        {"5m", 300000, "5m"},
	        {"12h", 43200000, "12h"},
	        {"36h", 129600000, "36h"},
	        {"90d", INT64_C(7776000000), "90d"},
	        {"1000d", DURATION_MAX_MS, "1000d"},
	        {"24000h", DURATION_MAX_MS, "1000d"},
	        {"86400000000ms", DURATION_MAX_MS, "1000d"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[UNITS_TEXT_MAX];
		int64_t ms = -1;
		assert_true(duration_parse(cases[i].text, &ms));
		assert_int_equal(ms, cases[i].ms);
		assert_string_equal(duration_format(ms, text), cases[i].back);
	}
}

static void bad_durations_change_nothing(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
	                                  "0",
	                                  "5",
	                                  "s",
	                                  "-5s",
	                                  "+5s",
	                                  "5 s",
	                                  " 5s",
	                                  "5s ",
	                                  "1.5h",
	                                  "1h30m",
	                                  "5S",
	                                  "5min",
	                                  "1w",
	                                  "1y",
	                                  "1001d",
	                                  "24001h",
	                                  "86400000001ms",
	                                  "99999999999999999999s"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int64_t ms = 7;
		assert_false(duration_parse(bad[i], &ms));
		assert_int_equal(ms, 7);
	}
}

static void sizes_are_read_and_written(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t bytes;
		const char *back;
	} cases[] = {
	        {"0", 0, "0"},
	        {"1000", 1000, "1000"},
	        {"1024", 1024, "1KiB"},
	        {"256KiB", 262144, "256KiB"},
	        {"1MiB", 1048576, "1MiB"},
	        {"2GiB", INT64_C(2147483648), "2GiB"},
	        {"1536KiB", 1572864, "1536KiB"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[UNITS_TEXT_MAX];
		int64_t bytes = -1;
		assert_true(size_parse(cases[i].text, &bytes));
		assert_int_equal(bytes, cases[i].bytes);
		assert_string_equal(size_format(bytes, text), cases[i].back);
	}
	static const char *const bad[] = {"",   "KiB",   "1KB",           "1kib",
	                                  "-1", "1 MiB", "8589934592GiB", "1.5MiB"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int64_t bytes = 7;
		assert_false(size_parse(bad[i], &bytes));
		assert_int_equal(bytes, 7);
	}
}

static void waits_double_up_to_the_ceiling(void **state)
{
	(void)state;
	const struct backoff mail = {.min_ms = 60000, .max_ms = 3600000};
	assert_int_equal(backoff_ms(mail, 1, UINT32_MAX / 2), 59999);
	assert_int_equal(backoff_ms(mail, 1, 0), 48000);
	assert_int_equal(backoff_ms(mail, 1, UINT32_MAX), 72000);
	assert_int_equal(backoff_ms(mail, 3, 0), 192000);
	assert_int_equal(backoff_ms(mail, 3, UINT32_MAX), 288000);
	assert_int_equal(backoff_ms(mail, 0, 0), 48000);
	for (unsigned failures = 1; failures < 100; failures++) {
		assert_true(backoff_ms(mail, failures, UINT32_MAX) <= 3600000);
		assert_true(backoff_ms(mail, failures, 0) >= 48000);
	}
	assert_int_equal(backoff_ms(mail, 4000000000u, UINT32_MAX), 3600000);
	assert_int_equal(backoff_ms(mail, 4000000000u, 0), 2880000);
}

static void integers_are_written_whole(void **state)
{
	(void)state;
	static const int64_t values[] = {0, 7, -1, 10, -1200, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct buf is = {0}, wanted = {0};
		buf_add_integer(&is, values[i]);
		buf_printf(&wanted, "%lld", (long long)values[i]);
		assert_string_equal(buf_text(&is), buf_text(&wanted));
		buf_free(&is);
		buf_free(&wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(integers_are_written_whole),
	        cmocka_unit_test(durations_are_read_and_written),
	        cmocka_unit_test(bad_durations_change_nothing),
	        cmocka_unit_test(sizes_are_read_and_written),
	        cmocka_unit_test(waits_double_up_to_the_ceiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
