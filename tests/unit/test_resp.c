/* SPDX-License-Identifier: MIT */
/*
 * Replies of Redis, good and hostile, whole and cut into single bytes.
 */
#include "base/resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The same verdict however the bytes are cut. */
static const char *scan(const char *text)
{
	struct resp whole = {0}, cut = {0};
	const char *fault = resp_scan(&whole, text, strlen(text)), *other = NULL;
	for (const char *p = text; *p && !other; p++)
		other = resp_scan(&cut, p, 1);
	assert_ptr_equal(fault, other);
	if (!fault)
		assert_memory_equal(&whole.depth, &cut.depth, sizeof(whole.depth));
	return fault;
}

static void ordinary_replies_pass(void **state)
{
	(void)state;
	static const char *const good[] = {
	        "+OK\r\n",
	        "+\r\n",
	        "-ERR a\rb\r\n",
	        ":0\r\n:-12\r\n:9223372036854775807\r\n:-9223372036854775808\r\n",
	        "$-1\r\n$0\r\n\r\n$3\r\na\r\n\r\n",
	        "*-1\r\n*0\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
	        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	        "*1\r\n$33554432\r\n",
	        "*1048576\r\n",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(scan(good[i]));
}

static void what_breaks_the_protocol_or_a_limit_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *word;
	} bad[] = {
	        {"HTTP/1.1 400\r\n", "unknown byte"},
	        {"%1\r\n", "unknown byte"},
	        {">3\r\n", "unknown byte"},
	        {"+OK\r\n\r\n", "unknown byte"},
	        {"*999999999\r\n", "array is too long"},
	        {"*1048577\r\n", "array is too long"},
	        {"*1000000\r\n*100000\r\n", "array is too long"},
	        {"*9999999999999999999\r\n", "number is too long"},
	        {"*-2\r\n", "negative"},
	        {"$9999999999\r\n", "string is too long"},
	        {"$33554433\r\n", "string is too long"},
	        {"$-5\r\n", "negative"},
	        {"$1\r\nab\r\n", "longer than announced"},
	        {"$1\r\na\rb", "longer than announced"},
	        {"$1\n", "other bytes"},
	        {"$1\r1", "end where"},
	        {"$\r\n", "no digits"},
	        {":-\r\n", "no digits"},
	        {":1.5\r\n", "other bytes"},
	        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "too deep"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *fault = scan(bad[i].text);
		assert_non_null(fault);
		assert_non_null(strstr(fault, bad[i].word));
	}
}

/* Neither a line nor an answer goes on for ever, and a reply that is over makes room for the next.
 */
static void what_never_ends_is_cut_off(void **state)
{
	(void)state;
	static char bytes[RESP_LINE_MAX];
	struct resp line = {0}, reply = {0}, many = {0};
	memset(bytes, 'x', sizeof(bytes));
	assert_null(resp_scan(&line, "+", 1));
	assert_null(resp_scan(&line, bytes, sizeof(bytes)));
	assert_non_null(resp_scan(&line, "x", 1));
	assert_null(resp_scan(&reply, "*9\r\n", 4));
	const char *fault = NULL;
	for (int i = 0; i < 9 && !fault; i++) {
		fault = resp_scan(&reply, "$33554432\r\n", 11);
		for (int j = 0; j < 512 && !fault; j++)
			fault = resp_scan(&reply, bytes, sizeof(bytes));
		if (!fault)
			fault = resp_scan(&reply, "\r\n", 2);
	}
	assert_non_null(fault);
	for (int i = 0; i < 3; i++) {
		assert_null(resp_scan(&many, "*1048576\r\n", 10));
		for (int j = 0; j < RESP_PARTS_MAX; j++)
			assert_null(resp_scan(&many, ":1\r\n", 4));
		assert_int_equal(many.depth, 0);
	}
}

static void replies_before_a_fault_are_whole(void **state)
{
	struct resp resp = {0};
	(void)state;
	assert_null(resp_scan(&resp, "*2\r\n+a", 6));
	assert_int_equal(resp.whole, 0);
	assert_non_null(resp_scan(&resp, "\r\n:1\r\n$99999999\r\n", 17));
	assert_int_equal(resp.whole, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ordinary_replies_pass),
	        cmocka_unit_test(what_breaks_the_protocol_or_a_limit_is_named),
	        cmocka_unit_test(what_never_ends_is_cut_off),
	        cmocka_unit_test(replies_before_a_fault_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
