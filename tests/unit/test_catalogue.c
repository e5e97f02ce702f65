/* SPDX-License-Identifier: MIT */
/* Catalogues of phrases: what a line may be, that a bad one costs that line alone, and lookup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "template/catalogue.h"

#include <string.h>

static void collect(void *arg, const char *text)
{
	buf_printf(arg, "%s\n", text);
}

/* What a text's phrases print, and its faults. */
static const struct catalogue *parse(struct arena *arena, const char *text, size_t len,
                                     const char *faults)
{
	struct buf seen = {0};
	const struct catalogue *catalogue =
	        catalogue_parse(arena, text, len, "x.ini", collect, &seen);
	assert_string_equal(buf_text(&seen), faults);
	buf_free(&seen);
	return catalogue;
}

static void expect(const struct catalogue *catalogue, const char *key, const char *expected)
{
	struct buf out = {0};
	json_t *data = json_pack("{s:s}", "n", "<7>");
	const struct mustache_options options = {.escape = true};
	const struct phrase *phrase = catalogue_find(catalogue, key);
	assert_non_null(phrase);
	assert_non_null(phrase->text);
	assert_true(mustache_render(phrase->text, data, &options, &out, NULL));
	assert_string_equal(buf_text(&out), expected);
	json_decref(data);
	buf_free(&out);
}

static void lines(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf# a comment\r\n"
	                           "  ; another\n\n"
	                           "b.two=two = 2 ; no comment # neither\n"
	                           "a-one\t =  with blanks around \t\r\n"
	                           "quoted = \"  kept \"\n"
	                           "inner = \"a\" and \"b\" \n"
	                           "one = \"\n"
	                           "empty =\n"
	                           "tags = {{#n}} n{{n}}{{/n}}\n"
	                           "_last.9 = \xc3\xbc";
	struct arena *arena = arena_new();
	const struct catalogue *catalogue = parse(arena, text, sizeof text - 1, "");
	assert_int_equal(catalogue->n_phrases, 8);
	expect(catalogue, "b.two", "two = 2 ; no comment # neither");
	expect(catalogue, "a-one", "with blanks around");
	expect(catalogue, "quoted", "  kept ");
	expect(catalogue, "one", "\"");
	expect(catalogue, "empty", "");
	expect(catalogue, "tags", " n&lt;7&gt;");
	expect(catalogue, "_last.9", "\xc3\xbc");
	assert_int_equal(catalogue_find(catalogue, "quoted")->line, 6);
	assert_null(catalogue_find(catalogue, "b"));
	assert_null(catalogue_find(catalogue, ""));
	assert_null(catalogue_find(NULL, "b.two"));
	arena_free(arena);
}

static void bad_lines(void **state)
{
	(void)state;
	static const struct {
		const char *line, *fault;
	} cases[] = {
	        {"no equals sign", "expected \"key = phrase\" or a comment"},
	        {"= no key", "expected \"key = phrase\" or a comment"},
	        {"[section]", "expected \"key = phrase\" or a comment"},
	        {"two words = x", "expected \"key = phrase\" or a comment"},
	        {"Upper = x", "expected \"key = phrase\" or a comment"},
	        {"a = cut \xc3", "this is not UTF-8 text"},
	        {"a = lone \xff byte", "this is not UTF-8 text"},
	        {"a = surrogate \xed\xa0\x80", "this is not UTF-8 text"},
	        {"good = again", "\"good\" is already on line 1"},
	        {"a = {{#x}}", "this section is never closed: x"},
	        {"a = {{x", "a tag is opened and never closed: expected }}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *arena = arena_new();
		struct buf text = {0}, fault = {0};
		buf_printf(&text, "good = 1\n%s\nafter = 2\n", cases[i].line);
		buf_printf(&fault, "x.ini:2: %s\n", cases[i].fault);
		const struct catalogue *catalogue = parse(arena, text.data, text.len, fault.data);
		expect(catalogue, "good", "1");
		expect(catalogue, "after", "2");
		const struct phrase *bad = catalogue_find(catalogue, "a");
		if (bad != NULL) {
			assert_null(bad->text);
			assert_non_null(strstr(bad->fault, cases[i].fault));
		}
		buf_free(&text);
		buf_free(&fault);
		arena_free(arena);
	}
}

static void a_nul_is_no_text(void **state)
{
	(void)state;
	static const char text[] = "a = x\0y\nb = 1\n";
	struct arena *arena = arena_new();
	const struct catalogue *catalogue =
	        parse(arena, text, sizeof text - 1, "x.ini:1: this is not UTF-8 text\n");
	assert_int_equal(catalogue->n_phrases, 1);
	arena_free(arena);
}

static void an_empty_catalogue(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	const struct catalogue *catalogue = catalogue_parse(arena, "", 0, "x.ini", NULL, NULL);
	assert_int_equal(catalogue->n_phrases, 0);
	assert_null(catalogue_find(catalogue, "a"));
	(void)catalogue_parse(arena, "bad", 3, "x.ini", NULL, NULL);
	arena_free(arena);
}

static void keys_of_names(void **state)
{
	(void)state;
	assert_string_equal(catalogue_key("phrase.a.b"), "a.b");
	assert_null(catalogue_key("phrase"));
	assert_null(catalogue_key("phrases.a"));
	assert_null(catalogue_key("job.phrase.a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lines),
	        cmocka_unit_test(bad_lines),
	        cmocka_unit_test(a_nul_is_no_text),
	        cmocka_unit_test(an_empty_catalogue),
	        cmocka_unit_test(keys_of_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
