/* SPDX-License-Identifier: MIT */
/*
 * JSON read and written: faults in our own words, text that is mended, order and depth.
 */
#include "base/jsontext.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void utf8_is_strict(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
	        {"", true},
	        {"plain", true},
	        {"\xC2\x80", true},
	        {"\xDF\xBF", true},
	        {"\xE0\xA0\x80", true},
	        {"\xED\x9F\xBF", true},
	        {"\xEE\x80\x80", true},
	        {"\xEF\xBF\xBF", true},
	        {"\xF0\x90\x80\x80", true},
	        {"\xF4\x8F\xBF\xBF", true},
	        {"\x80", false},
	        {"\xC0\x80", false},         /* an overlong NUL */
	        {"\xC1\xBF", false},         /* overlong */
	        {"\xE0\x9F\xBF", false},     /* overlong */
	        {"\xF0\x8F\xBF\xBF", false}, /* overlong */
	        {"\xED\xA0\x80", false},     /* a surrogate */
	        {"\xED\xBF\xBF", false},     /* a surrogate */
	        {"\xF4\x90\x80\x80", false}, /* beyond the last */
	        {"\xF5\x80\x80\x80", false},
	        {"\xFF", false},
	        {"a\xC3", false}, /* cut short */
	        {"\xE2\x82", false},
	        {"\xF0\x9F\x9A", false},
	        {"\xC3\x28", false},
	        {"\xE2\x82\x28", false},
	};
	for (size_t i = 0; i < N(cases); i++)
		if (utf8_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid)
			fail_msg("case %zu", i);
	assert_true(utf8_valid("a\0b", 3));
}

static void controls_are_found(void **state)
{
	(void)state;
	static const char *const bad[] = {"\n", "a\x1F", "\x7F", "\xC2\x80", "x\xC2\x9F"};
	static const char *const good[] = {"", " ", "\xC2\xA0", "é", "\xE2\x80\xA8"};
	for (size_t i = 0; i < N(bad); i++)
		assert_true(utf8_has_control(bad[i], strlen(bad[i])));
	for (size_t i = 0; i < N(good); i++)
		assert_false(utf8_has_control(good[i], strlen(good[i])));
	assert_true(utf8_has_control("a\0", 2));
}

static void quotes_are_short_and_clean(void **state)
{
	(void)state;
	char quote[UTF8_QUOTE_MAX], text[300];
	assert_string_equal(utf8_quote("a\nb\xFF\xC2\x85z", 7, quote), "a?b??z");
	assert_string_equal(utf8_quote("", 0, quote), "");
	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'x', shift);
		for (size_t i = shift; i + 4 <= sizeof text; i += 4)
			memcpy(text + i, "🚚", 4);
		(void)utf8_quote(text, sizeof text - 4, quote);
		assert_true(utf8_valid(quote, strlen(quote)));
		assert_non_null(strstr(quote, "…"));
		assert_true(strlen(quote) >= 60);
	}
}

static void texts_come_back_compact(void **state)
{
	(void)state;
	static const struct {
		const char *json, *as_is, *sorted;
	} cases[] = {
	        {"{ \"b\" : [ ] , \"a\" : { } }", "{\"b\":[],\"a\":{}}", "{\"a\":{},\"b\":[]}"},
	        {"[{\"b\":1,\"a\":[{\"d\":1,\"c\":2}]}]", "[{\"b\":1,\"a\":[{\"d\":1,\"c\":2}]}]",
	         "[{\"a\":[{\"c\":2,\"d\":1}],\"b\":1}]"},
	        {"{\"{\":1,\"a\":\"{\"}", "{\"{\":1,\"a\":\"{\"}", "{\"a\":\"{\",\"{\":1}"},
	        {"[49.95,0.1,1e3,1E-7,-0.0,5e-324]",
	         "[49.95,0.1,1000.0,1e-07,-0.0,4.94065645841247e-324]", NULL},
	        {"[0.30000000000000004,1.7976931348623157e308]",
	         "[0.30000000000000004,1.7976931348623157e+308]", NULL},
	        {"[9223372036854775807,-9223372036854775808]",
	         "[9223372036854775807,-9223372036854775808]", NULL},
	        {"[9223372036854775808,-9223372036854775809]",
	         "[\"9223372036854775808\",\"-9223372036854775809\"]", NULL},
	        {"{\"a\":\"9223372036854775808 \\\" 1\",\"b\":99999999999999999999}",
	         "{\"a\":\"9223372036854775808 \\\" 1\",\"b\":\"99999999999999999999\"}", NULL},
	        {"[12345678901234567890.5,9223372036854775808]",
	         "[1.2345678901234567e+19,\"9223372036854775808\"]", NULL},
	        {"\"scalar\"", "\"scalar\"", NULL},
	        {"true", "true", NULL},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct error err = {0};
		struct buf text = {0};
		json_t *value = jsontext_read(cases[i].json, strlen(cases[i].json), &err);
		if (value == NULL)
			fail_msg("%s: %s", cases[i].json, err.text);
		jsontext_write(&text, value, JSONTEXT_AS_IS);
		assert_string_equal(buf_text(&text), cases[i].as_is);
		buf_reset(&text);
		jsontext_write(&text, value, JSONTEXT_SORTED);
		assert_string_equal(buf_text(&text),
		                    cases[i].sorted ? cases[i].sorted : cases[i].as_is);
		buf_free(&text);
		json_decref(value);
	}
}

static void what_is_no_json_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
	        "",
	        "{",
	        "[1,]",
	        "{'a':1}",
	        "nan",
	        "[1e999]",
	        "[0099999999999999999999]",
	        "[1] 2",
	        "\"\\u0000\"",
	        "\"\xff\"",
	        "{\"a\":1,\"a\":1}",
	        "[99999999999999999999",
	        "\"a\nb\"",
	        "[99999999999999999999,1e999]",
	};
	for (size_t i = 0; i < N(bad); i++) {
		struct error err = {0};
		json_t *value = jsontext_read(bad[i], strlen(bad[i]), &err);
		if (value != NULL)
			fail_msg("%s is taken", bad[i]);
		assert_true(strncmp(err.text, "line ", 5) == 0);
		assert_null(strpbrk(err.text, "\r\n"));
	}
}

static void depth_is_counted(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		int limit, depth;
	} cases[] = {
	        {"1", 32, 0},         {"{}", 32, 1},    {"[]", 32, 1},      {"{\"a\":[1]}", 32, 2},
	        {"[[],[[]]]", 32, 3}, {"[[[]]]", 2, 3}, {"[[[[]]]]", 2, 3}, {"[[[[]]],1]", 32, 4},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct error err = {0};
		json_t *value = jsontext_read(cases[i].json, strlen(cases[i].json), &err);
		assert_non_null(value);
		assert_int_equal(jsontext_depth(value, cases[i].limit), cases[i].depth);
		json_decref(value);
	}
}

/* With and without reading it, an object sorted is the same. */
static void sorted_texts_are_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool flat;
	} cases[] = {
	        {"{}", true},
	        {"{\"b\":1,\"a\":2}", true},
	        {"{\"ab\":\"},{\\\"\",\"a\":\"\\\\\",\"abc\":null,\"B\":true,\"\":-1.5e300}", true},
	        {"{\"\u00e9\":\"\u00fc,\",\"z\":49.95,\"e\":false,\"10\":0,\"9\":[]}", false},
	        {"{\"z\":{},\"a\":1}", false},
	        {"{\"z\\\"\":1,\"a\":1}", false},
	        {"{\"\u00e9\":\"\u00fc,\",\"z\":49.95,\"e\":\"\\n\",\"f\":12}", true},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct error err = {0};
		struct buf written = {0}, slow = {0}, fast = {0};
		json_t *value = jsontext_read(cases[i].json, strlen(cases[i].json), &err);
		assert_non_null(value);
		jsontext_write(&written, value, JSONTEXT_AS_IS);
		jsontext_write(&slow, value, JSONTEXT_SORTED);
		assert_int_equal(jsontext_sort(&fast, buf_text(&written)), cases[i].flat);
		if (cases[i].flat)
			assert_string_equal(buf_text(&fast), buf_text(&slow));
		else
			assert_int_equal(fast.len, 0);
		buf_free(&written);
		buf_free(&slow);
		buf_free(&fast);
		json_decref(value);
	}
}

static void plain_bytes_are_counted(void **state)
{
	(void)state;
	char text[40];
	for (int c = 0; c < 256; c++) {
		bool plain = c >= 0x20 && c != '"' && c != '\\';
		for (size_t len = 1; len < sizeof text; len++) {
			for (size_t at = 0; at < len; at++) {
				memset(text, at % 2 ? 0xc3 : 'x', len);
				text[at] = (char)c;
				assert_int_equal(jsontext_plain(text, len), plain ? len : at);
			}
		}
	}
}

static void strings_are_written_as_jansson_does(void **state)
{
	(void)state;
	static const char *const texts[] = {"",
	                                    "plain",
	                                    "M\xc3\xbcller",
	                                    "a \"quoted\" one",
	                                    "back\\slash",
	                                    "line\nfeed\r",
	                                    "\x01\x1f\x7f",
	                                    "slash/and a long one behind it"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		json_t *value = json_pack("{s:s}", texts[i], texts[i]);
		char *expected = json_dumps(value, JSON_COMPACT);
		struct buf written = {0};
		jsontext_write(&written, value, JSONTEXT_AS_IS);
		assert_string_equal(buf_text(&written), expected);
		buf_free(&written);
		free(expected);
		json_decref(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(plain_bytes_are_counted),
	        cmocka_unit_test(strings_are_written_as_jansson_does),
	        cmocka_unit_test(sorted_texts_are_the_same),
	        cmocka_unit_test(utf8_is_strict),
	        cmocka_unit_test(controls_are_found),
	        cmocka_unit_test(quotes_are_short_and_clean),
	        cmocka_unit_test(texts_come_back_compact),
	        cmocka_unit_test(what_is_no_json_is_refused),
	        cmocka_unit_test(depth_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
