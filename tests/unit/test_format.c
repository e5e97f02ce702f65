/* SPDX-License-Identifier: MIT */
/* Our own formatting, beside that of the C library. */
#include "base/buf.h"
#include "base/format.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static int PRINTF_LIKE(3, 4) ours(char *to, size_t size, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int len = format_text(to, size, fmt, args);
	va_end(args);
	return len;
}

/* In every size, from none to more than enough. */
#define is_alike(...)                                                                              \
	do {                                                                                       \
		for (size_t size = 0; size < 80; size++) {                                         \
			char a[80] = "untouched", b[80] = "untouched";                             \
			assert_int_equal(ours(a, size, __VA_ARGS__),                               \
			                 snprintf(b, size, __VA_ARGS__));                          \
			assert_memory_equal(a, b, sizeof a);                                       \
		}                                                                                  \
	} while (0)

static void texts_are_as_the_c_librarys(void **state)
{
	(void)state;
	is_alike("plain");
	is_alike("%s", "");
	is_alike("customer %s is %s", "1001", "Example Farm");
	is_alike("%d and %d", 0, -1);
	is_alike("%d %d", INT32_MAX, INT32_MIN);
	is_alike("%lld,%lld", (long long)INT64_MAX, (long long)INT64_MIN);
	is_alike("%s%s%lld", "a", "b", 10LL);
}

static void what_is_not_known_is_left_to_the_c_library(void **state)
{
	(void)state;
	is_alike("%s is 100 %%", "it");
	is_alike("%s: %.*s", "a", 2, "bcd");
	is_alike("%d %5d|%-5s|%05d", 1, 2, "x", 3);
	is_alike("%s %ld %zu %x %.3f", "n", 5L, (size_t)6, 7U, 8.5);
	is_alike("%s %c %lu", "n", 'c', 9UL);
}

static void integers_are_written(void **state)
{
	(void)state;
	static const int64_t cases[] = {0, 1, -1, 9, 10, -10, 1780488000000, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[INTEGER_TEXT_MAX], expected[INTEGER_TEXT_MAX];
		struct buf buf = {0};
		(void)snprintf(expected, sizeof expected, "%lld", (long long)cases[i]);
		assert_string_equal(format_integer(cases[i], text), expected);
		buf_add_integer(&buf, cases[i]);
		assert_string_equal(buf_text(&buf), expected);
		buf_free(&buf);
	}
}

static void long_texts_are_whole(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	char text[1000];
	for (size_t len = 250; len < sizeof text; len += 7) {
		memset(text, 'x', len);
		text[len] = '\0';
		assert_int_equal(strlen(arena_printf(arena, "%s", text)), len);
		assert_int_equal(strlen(arena_printf(arena, "%s%5d", text, 1)), len + 5);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(texts_are_as_the_c_librarys),
	        cmocka_unit_test(what_is_not_known_is_left_to_the_c_library),
	        cmocka_unit_test(integers_are_written),
	        cmocka_unit_test(long_texts_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
