/* SPDX-License-Identifier: MIT */
/* The reader without a tree against jansson's: both take a text or neither does, and then they have
 * the same of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/jsontext.h"
#include "base/jsonview.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *const texts[] = {
        "{}",
        "[]",
        " [ ] ",
        "null",
        "true",
        "false",
        "\"\"",
        "\"a\"",
        "0",
        "-0",
        "-1",
        "12",
        "1.5",
        "-0.0",
        "49.950000000000003",
        "49.95",
        "-49.95",
        "49.950",
        "10.0",
        "-0.5",
        "0.5",
        "0.00001",
        "123456789012345.6",
        "12345678901234.5",
        "1234567890123.45",
        "99999999999999.9",
        "999999999999999.9",
        "1.00000000000001",
        "-900719925474.0993",
        "1e3",
        "1E-3",
        "1e400",
        "9223372036854775807",
        "9223372036854775808",
        "-123456789012345678901234567890",
        "{\"n\":123456789012345678901234567890,\"m\":1e5,\"k\":12.50}",
        "\xef\xbb\xbf{\"a\":1}",
        "{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":\"e\"}",
        "\n{ \"a\" :\t1 ,\r\n \"b\" : [ true , false ] }\n",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00 \\u001f\"",
        "\"M\xc3\xbcller \xe2\x82\xac \xf0\x9f\x98\x80\"",
        "{\"k\\u0065y\":\"v\",\"\\\"\":2}",
        "\"\\u0000\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ude00\"",
        "\"\\u12g4\"",
        "\"\\u12\"",
        "\"\\x\"",
        "\"\\",
        "\"\\\"",
        "\"a",
        "\"a\nb\"",
        "\"a\\nb\tc\"",
        "\"\x7f\"",
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1]",
        "[1}",
        "01",
        "-",
        "-a",
        "1.",
        ".5",
        "+1",
        "1e",
        "1e+",
        "tru",
        "nul",
        "truex",
        "1 2",
        "{} x",
        "NaN",
};

static void check(const char *text, size_t len)
{
	struct arena *arena = arena_new_small(64);
	struct error slow_err = {0}, err = {0};
	json_t *slow = jsontext_read(text, len, &slow_err);
	struct jsonview *view = jsonview_read(arena, text, len, &err);
	/* It isn't looked for that a key is there twice. */
	bool twice = strstr(slow_err.text, "the same key twice") != NULL;
	if ((slow == NULL) != (view == NULL) && !twice)
		fail_msg("%.*s: %s", (int)len, text, slow ? "refused" : "not refused");
	if (slow == NULL) {
		if (view == NULL)
			assert_string_equal(err.text, slow_err.text);
	} else {
		struct buf expected = {0}, got = {0};
		json_t *again = jsonview_json(view),
		       *converted = jsonview_json(jsonview_of(arena, slow));
		jsontext_write(&expected, slow, JSONTEXT_AS_IS);
		jsontext_write(&got, again, JSONTEXT_AS_IS);
		assert_string_equal(buf_text(&got), buf_text(&expected));
		buf_reset(&got);
		jsontext_write(&got, converted, JSONTEXT_AS_IS);
		assert_string_equal(buf_text(&got), buf_text(&expected));
		buf_free(&expected);
		buf_free(&got);
		json_decref(again);
		json_decref(converted);
	}
	json_decref(slow);
	arena_free(arena);
}

static void the_same_as_jansson(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		check(texts[i], strlen(texts[i]));
}

/* Each in a buffer that ends where it does, so that reading beyond is found. */
static void cut_off_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		for (size_t len = 0; len < strlen(texts[i]); len++) {
			char *cut = malloc(len ? len : 1);
			assert_non_null(cut);
			memcpy(cut, texts[i], len);
			check(cut, len);
			free(cut);
		}
}

/* A byte of a good text replaced by one that means something. */
static void changed_anywhere(void **state)
{
	static const char bytes[] = "{}[],:\"\\u0e-.n \n\x01";
	static const char *const whole =
	        "{\"a\":[1,-2.50,true,null,\"x\\u00e9\\n\"],\"b\":{\"c\":\"d\"}, \"e\" : false}";
	(void)state;
	for (size_t at = 0; at < strlen(whole); at++)
		for (size_t i = 0; i < sizeof bytes - 1; i++) {
			char *text = strdup(whole);
			assert_non_null(text);
			text[at] = bytes[i];
			check(text, strlen(text));
			free(text);
		}
}

static void deep(void **state)
{
	(void)state;
	for (size_t depth = 2046; depth < 2052; depth++) {
		struct buf text = {0};
		for (size_t i = 0; i < depth; i++)
			buf_addc(&text, '[');
		for (size_t i = 0; i < depth; i++)
			buf_addc(&text, ']');
		check(buf_text(&text), text.len);
		buf_free(&text);
	}
}

static void members_are_found_behind(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	size_t len;
	struct jsonview *behind = jsonview_read(arena, "{\"a\":\"far\",\"b\":\"far\"}", 21, NULL);
	struct jsonview *object = jsonview_object(arena, behind);
	jsonview_set(arena, object, "a", jsonview_read(arena, "\"near\"", 6, NULL));
	jsonview_set(arena, object, "c", NULL);
	jsonview_set_constant(arena, object, "n", JSONVIEW_NULL);
	assert_memory_equal(jsonview_text(object, "a", &len), "near", 4);
	assert_memory_equal(jsonview_text(object, "b", &len), "far", 3);
	assert_int_equal(len, 3);
	assert_null(jsonview_get(object, "c"));
	assert_null(jsonview_get(object, "aa"));
	assert_null(jsonview_get(object, ""));
	assert_null(jsonview_get(jsonview_get(object, "a"), "a"));
	assert_null(jsonview_get(NULL, "a"));
	assert_int_equal(jsonview_get(object, "n")->type, JSONVIEW_NULL);
	assert_string_equal(jsonview_text(object, "n", &len), "");
	assert_memory_equal(jsonview_text(behind, "a", &len), "far", 3);
	arena_free(arena);
}

static void lists_are_put_together(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct jsonview *list = jsonview_list(arena), **end = &list->first;
	struct jsonview *object = jsonview_object(arena, NULL);
	assert_int_equal(jsonview_count(list), 0);
	assert_int_equal(jsonview_count(NULL), 0);
	assert_int_equal(jsonview_count(object), 0);
	jsonview_append(arena, &end, object);
	jsonview_append(arena, &end, object);
	assert_int_equal(jsonview_count(list), 2);
	jsonview_set_constant(arena, list->first, "x", JSONVIEW_TRUE);
	assert_non_null(jsonview_get(list->first, "x"));
	assert_null(jsonview_get(list->first->next, "x"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_same_as_jansson),
	        cmocka_unit_test(cut_off_anywhere),
	        cmocka_unit_test(changed_anywhere),
	        cmocka_unit_test(deep),
	        cmocka_unit_test(members_are_found_behind),
	        cmocka_unit_test(lists_are_put_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
