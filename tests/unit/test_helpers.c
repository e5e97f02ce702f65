/* SPDX-License-Identifier: MIT */
/* What templates' helpers make of people's texts: shortened, dialed, opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "template/helpers.h"

#include <stdio.h>
#include <string.h>

struct helped {
	const char *text, *expected;
};

static void check(void (*helper)(void *, const char *, struct buf *), const struct helped *cases,
                  size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf out = {0};
		helper(NULL, cases[i].text, &out);
		if (strcmp(buf_text(&out), cases[i].expected) != 0)
			fail_msg("'%s' is '%s', not '%s'", cases[i].text, buf_text(&out),
			         cases[i].expected);
		buf_free(&out);
	}
}
#define CHECK(helper, cases) check(helper, cases, sizeof(cases) / sizeof *(cases))

static void texts_are_shortened(void **state)
{
	(void)state;
	static const struct helped cases[] = {
	        {"Roll-off swap|20", "Roll-off swap"},
	        {"Roll-off swap|13", "Roll-off swap"},
	        {" Roll-off swap |13", "Roll-off swap"},
	        {"Roll-off swap|12", "Roll-off…"},
	        {"Roll-off swap|10", "Roll-off…"},
	        {"Roll-off swap|9", "Roll-off…"},
	        {"Roll-off swap|8", "Roll-of…"},
	        {"Roll-off, swap|12", "Roll-off…"},
	        {"Roll-off swap (PO 2209)|18", "Roll-off swap…"},
	        {"Roll-off swap (PO 2209)|17", "Roll-off swap…"},
	        {"Roll-off swap (PO 2209)|15", "Roll-off swap…"},
	        {"Roll-off (big) swap (PO 2209)|24", "Roll-off (big) swap…"},
	        {"(a long text in brackets)|12", "(a long tex…"},
	        {"Donaudampfschiff|10", "Donaudamp…"},
	        {"a Donaudampfschiff|10", "a Donauda…"},
	        {"Müllabfuhr|10", "Müllabfuhr"},
	        {"Müllabfuhr|5", "Müll…"},
	        {"a|b c|9", "a|b c"},
	        {"a|b c d|4", "a|b…"},
	        {"x|1", "x"},
	        {"xy|1", "…"},
	        {"|7", ""},
	        {"   |7", ""},
	        /* not for us: as it was */
	        {"no number", "no number"},
	        {"none|", "none|"},
	        {"none|0", "none|0"},
	        {"none|-1", "none|-1"},
	        {"none|3x", "none|3x"},
	        {"none|1001", "none|1001"},
	        {"", ""},
	        /* e and an accent, an emoji with a color, a family: whole or not at all */
	        {"cafe\xcc\x81 au lait|5", "caf…"},
	        {"cafe\xcc\x81 au lait|6", "cafe\xcc\x81…"},
	        {"ab\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd cd|4", "ab…"},
	        {"ab\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 cd|5", "ab…"},
	};
	CHECK(shorten_helper, cases);
}

static void shortened_texts_keep_their_promise(void **state)
{
	(void)state;
	const char text[] = "Über­große Abfälle, 家具 und Ge\xcc\x88rät\xf0\x9f\x9a\x9b (am Tor) "
	                    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d";
	for (int n = 1; n < 60; n++) {
		char line[200];
		struct buf out = {0};
		(void)snprintf(line, sizeof line, "%s|%d", text, n);
		shorten_helper(NULL, line, &out);
		assert_true(utf8_valid(buf_text(&out), out.len));
		assert_true(utf8_length(buf_text(&out), out.len) <= (size_t)n);
		buf_free(&out);
	}
}

static void numbers_are_dialed(void **state)
{
	(void)state;
	static const struct helped cases[] = {
	        {"+1 303 555 0100", "+13035550100"},
	        {"(303) 555-0100", "3035550100"},
	        {"(+1) 303.555.0100", "+13035550100"},
	        {" +49 30/123 45-0", "+4930123450"},
	        {"1-800-DUMPSTER", "180038677837"},
	        {"303-555-0100 ext. 12", "3035550100;ext=12"},
	        {"303-555-0100 x12", "3035550100;ext=12"},
	        {"303-555-0100 Extension: 7", "3035550100;ext=7"},
	        {"303-555-0100 ext", "3035550100"},
	        {"Office: 303-555-0100", "3035550100"},
	        {"911", "911"},
	        {"12", ""},
	        {"", ""},
	        {"ask at the gate", ""},
	        {"\"><script>303-555-0100", "3035550100"},
	};
	CHECK(dial_helper, cases);
}

static void websites_open(void **state)
{
	(void)state;
	static const struct helped cases[] = {
	        {"https://www.example.com/", "https://www.example.com/"},
	        {"HTTP://example.com", "HTTP://example.com"},
	        {"www.example.com", "https://www.example.com"},
	        {" example.com:8080/a:b", "https://example.com:8080/a:b"},
	        {"javascript:alert(1)", ""},
	        {"data:text/html,x", ""},
	        {"ftp://example.com", ""},
	        {"", ""},
	};
	CHECK(weblink_helper, cases);
}

static void helpers_are_known_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < template_helpers_count; i++)
		assert_true(template_helper_is(template_helpers[i].name));
	assert_true(template_helper_is("date"));
	assert_false(template_helper_is("dates"));
	assert_false(template_helper_is(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(texts_are_shortened),
	        cmocka_unit_test(shortened_texts_keep_their_promise),
	        cmocka_unit_test(numbers_are_dialed),
	        cmocka_unit_test(websites_open),
	        cmocka_unit_test(helpers_are_known_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
