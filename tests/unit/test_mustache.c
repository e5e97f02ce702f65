/* SPDX-License-Identifier: MIT */
/* Mustache: own cases from a data file, the public specification where it lies beside the tree, and
 * limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "template/mustache.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CASES "tests/unit/mustache-cases.json"
#define SPEC  "../shared/mustache-spec"

static const char *const modules[] = {"comments", "interpolation", "inverted", "partials",
                                      "sections"};

enum { PARTIALS_MAX = 20 };
struct partials {
	const char *names[PARTIALS_MAX];
	struct mustache *templates[PARTIALS_MAX];
	size_t n;
};

static const struct mustache *find_partial(void *arg, const char *name)
{
	const struct partials *partials = arg;
	for (size_t i = 0; i < partials->n; i++)
		if (strcmp(partials->names[i], name) == 0)
			return partials->templates[i];
	return NULL;
}

static void shout(void *arg, const char *text, struct buf *ret)
{
	(void)arg;
	buf_printf(ret, "<%s>!", text);
}

static const struct mustache_helper helpers[] = {{.name = "shout", .call = shout}};

static struct mustache *parse_or_fail(const char *text, const char *name)
{
	struct error err = {0};
	struct mustache *template = mustache_parse(text, strlen(text), name, 1, &err);
	if (template == NULL)
		fail_msg("%s", err.text);
	return template;
}

static void parse_all(const json_t *texts, struct partials *ret)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)texts, key, value)
	{
		ret->names[ret->n] = key;
		ret->templates[ret->n++] = parse_or_fail(json_string_value(value), key);
	}
}

static void free_all(const struct partials *partials)
{
	for (size_t i = 0; i < partials->n; i++)
		mustache_free(partials->templates[i]);
}

static void run_case(const char *name, const json_t *test)
{
	struct partials partials = {0}, lambdas = {0};
	struct buf out = {0};
	struct error err = {0};
	parse_all(json_object_get(test, "partials"), &partials);
	parse_all(json_object_get(test, "lambdas"), &lambdas);
	struct mustache *template =
	        parse_or_fail(json_string_value(json_object_get(test, "template")), name);
	const struct mustache_options options = {
	        .escape = !json_is_true(json_object_get(test, "plain")),
	        .partial = find_partial,
	        .partial_arg = &partials,
	        .lambda = find_partial,
	        .lambda_arg = &lambdas,
	        .helpers = helpers,
	        .n_helpers = 1};
	const char *expected = json_string_value(json_object_get(test, "expected"));
	if (!mustache_render(template, json_object_get(test, "data"), &options, &out, &err))
		fail_msg("%s: %s", name, err.text);
	if (strcmp(buf_text(&out), expected) != 0)
		fail_msg("%s: got \"%s\", expected \"%s\"", name, buf_text(&out), expected);
	buf_free(&out);
	mustache_free(template);
	free_all(&partials);
	free_all(&lambdas);
}

static size_t run_file(const char *path)
{
	json_error_t fault;
	json_t *root = json_load_file(path, 0, &fault), *test;
	size_t i, n = 0;
	if (root == NULL)
		fail_msg("%s:%d: %s", path, fault.line, fault.text);
	json_array_foreach(json_object_get(root, "tests"), i, test)
	{
		char name[300];
		(void)snprintf(name, sizeof name, "%s: %s", path,
		               json_string_value(json_object_get(test, "name")));
		run_case(name, test);
		n++;
	}
	json_decref(root);
	return n;
}

static void own_cases(void **state)
{
	(void)state;
	assert_true(run_file(CASES) > 50);
}

static void public_specification(void **state)
{
	(void)state;
	char path[200];
	size_t n = 0;
	if (access(SPEC, R_OK) != 0)
		skip();
	for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
		(void)snprintf(path, sizeof path, SPEC "/%s.json", modules[i]);
		n += run_file(path);
	}
	assert_true(n > 100);
}

static void faults_name_line_and_cause(void **state)
{
	(void)state;
	static const struct {
		const char *template, *fault;
	} cases[] = {
	        {"a\n{{#jobs}}\nb\n", "x.txt:2: this section is never closed: jobs"},
	        {"a\n\n{{/jobs}}\n", "x.txt:3: no section is open here to be closed by /jobs"},
	        {"{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}",
	         "x.txt:3: the section b of line 2 is open, not a"},
	        {"a\n{{name", "x.txt:2: a tag is opened and never closed: expected }}"},
	        {"{{{name}}", "x.txt:1: a tag is opened and never closed: expected }}}"},
	        {"\n{{}}", "x.txt:2: a tag without a name"},
	        {"\n{{# }}", "x.txt:2: a tag without a name"},
	        {"{{two words}}", "x.txt:1: invalid name: two words"},
	        {"{{a..b}}", "x.txt:1: invalid name: a..b"},
	        {"{{.a}}", "x.txt:1: invalid name: .a"},
	        {"{{a\x15\x1b[2J}}", "x.txt:1: invalid name: a??[2J"},
	        {"{{#\xc2\x85}}{{/b}}", "x.txt:1: the section ? of line 1 is open, not b"},
	        {"{{/\xc2\x9b"
	         "31m}}",
	         "x.txt:1: no section is open here to be closed by /?31m"},
	        {"{{+ a2345678901234567890123456789012345678901234567890123456789012345\xc3\xbc}}",
	         "x.txt:1: invalid name: + "
	         "a2345678901234567890123456789012345678901234567890123456789012345…"},
	        {"1\n2\n{{=<% %>=}}", "x.txt:3: tags that set other delimiters are not supported"},
	        {"{{! a\nb\n}}\n{{! c }}\n{{/x}}",
	         "x.txt:5: no section is open here to be closed by /x"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct error err = {0};
		assert_null(mustache_parse(cases[i].template, strlen(cases[i].template), "x.txt", 1,
		                           &err));
		assert_string_equal(err.text, cases[i].fault);
		assert_int_equal(err.code, 65);
	}
}

static void first_line_counts(void **state)
{
	(void)state;
	struct error err = {0};
	assert_null(mustache_parse("a\n{{/x}}", 8, "x.txt", 11, &err));
	assert_string_equal(err.text, "x.txt:12: no section is open here to be closed by /x");
}

static bool render(const char *text, const char *data, const struct mustache_options *options,
                   struct error *err)
{
	struct buf out = {0};
	json_t *root = json_loads(data, 0, NULL);
	struct mustache *template = parse_or_fail(text, "t");
	bool ok = mustache_render(template, root, options, &out, err);
	mustache_free(template);
	json_decref(root);
	buf_free(&out);
	return ok;
}

static void output_is_bounded(void **state)
{
	(void)state;
	struct error err = {0};
	const struct mustache_options options = {
	        .max_size = 99, .helpers = helpers, .n_helpers = 1};
	assert_true(
	        render("{{#l}}1234567890{{/l}}", "{\"l\":[1,2,3,4,5,6,7,8,9]}", &options, &err));
	assert_false(render("\n{{#l}}1234567890{{/l}}", "{\"l\":[1,2,3,4,5,6,7,8,9,10]}", &options,
	                    &err));
	assert_string_equal(err.text, "t:2: the rendered text is too long");
	assert_false(render("{{#shout}}{{#l}}1234567890{{/l}}{{/shout}}",
	                    "{\"l\":[1,2,3,4,5,6,7,8,9,10]}", &options, &err));
}

static void loops_in_loops_end(void **state)
{
	(void)state;
	struct error err = {0};
	struct buf text = {0};
	const struct mustache_options options = {0};
	for (int i = 0; i < 40; i++)
		buf_adds(&text, "{{#l}}");
	for (int i = 0; i < 40; i++)
		buf_adds(&text, "{{/l}}");
	assert_false(render(buf_text(&text), "{\"l\":[1,2,3,4,5,6,7,8,9]}", &options, &err));
	assert_non_null(strstr(err.text, "rendering takes too long"));
	buf_free(&text);
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	struct error err = {0};
	struct buf text = {0};
	for (int i = 0; i < MUSTACHE_NESTING_MAX + 1; i++)
		buf_adds(&text, "{{#l}}\n");
	assert_null(mustache_parse(text.data, text.len, "t", 1, &err));
	assert_string_equal(err.text, "t:65: sections nest too deep at l");
	buf_free(&text);
}

static void partial_in_itself_ends(void **state)
{
	(void)state;
	struct error err = {0};
	struct partials partials = {.names = {"me"}, .n = 1};
	partials.templates[0] = parse_or_fail("x\n{{> me}}", "me.txt");
	const struct mustache_options options = {.partial = find_partial, .partial_arg = &partials};
	assert_false(render("{{> me}}", "{}", &options, &err));
	assert_string_equal(err.text, "me.txt:2: partials nest too deep: does one include itself?");
	const struct mustache_options lambda = {.lambda = find_partial, .lambda_arg = &partials};
	mustache_free(partials.templates[0]);
	partials.templates[0] = parse_or_fail("x\n{{me}}", "me.ini");
	assert_false(render("{{me}}", "{}", &lambda, &err));
	assert_string_equal(err.text, "me.ini:2: partials nest too deep: does one include itself?");
	mustache_free(partials.templates[0]);
}

static void note_name(void *arg, const char *name, const char *const *around, size_t n_around)
{
	struct buf *seen = arg;
	for (size_t i = 0; i < n_around; i++)
		buf_printf(seen, "%s>", around[i]);
	buf_printf(seen, "%s ", name);
}

static void names_are_listed(void **state)
{
	(void)state;
	struct buf seen = {0};
	struct mustache *template = parse_or_fail(
	        "{{a.b}}{{#jobs}}{{^x}}{{{y}}}{{.}}{{/x}}{{> p}}{{/jobs}}{{! no }}{{&z}}", "t");
	mustache_each_name(template, note_name, &seen);
	assert_string_equal(buf_text(&seen), "a.b jobs jobs>x jobs>x>y z ");
	mustache_free(template);
	buf_free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(own_cases),
	        cmocka_unit_test(public_specification),
	        cmocka_unit_test(faults_name_line_and_cause),
	        cmocka_unit_test(first_line_counts),
	        cmocka_unit_test(output_is_bounded),
	        cmocka_unit_test(loops_in_loops_end),
	        cmocka_unit_test(nesting_is_bounded),
	        cmocka_unit_test(partial_in_itself_ends),
	        cmocka_unit_test(names_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
