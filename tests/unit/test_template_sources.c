/* SPDX-License-Identifier: MIT */
/* A set of templates made again of what it was made of: the same digest, the same mails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "template_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As the spool keeps them and gives them back. */
static struct templates *make_again(const struct templates *templates, const char *without,
                                    struct error *err)
{
	struct arena *arena = arena_new();
	struct template_sources kept = {0};
	const struct template_sources *sources = templates_sources(templates);
	for (size_t i = 0; i < sources->n; i++) {
		size_t len;
		const char *key = template_source_key(&sources->rows[i], arena);
		const char *value = template_source_value(&sources->rows[i], &len);
		if (without == NULL || strcmp(key, without) != 0)
			template_sources_add_kept(&kept, arena, key, value, len);
	}
	struct templates *again = templates_restore(&kept, err);
	arena_free(arena);
	return again;
}

static void put_everything(void)
{
	set_put("completed.txt", "Subject: {{phrase.completed.subject}}\n\n{{> sign}} {{n}}\n");
	set_put("completed.html", "<p>{{> sign}} {{n}}</p>");
	set_put("sign.txt", "top {{job.id}}\n");
	set_put("sign.html", "<b>top</b>");
	set_put("started.txt", "Subject: broken {{#n}}\n\nnever closed\n");
	set_put("failed.txt", "Subject: \xff\n\nnot UTF-8\n");
	set_put("fr/completed.txt", "Subject: Bonjour\n\nfr {{n}}\n");
	set_put("fr_CA/sign.txt", "fr-CA\n");
	set_put("en.ini", "completed.subject = Done\nbroken\n");
	set_put("de.ini", "completed.subject = Fertig\n");
	set_put("job.more.txt", "a partial with a dot\n");
}

static void assert_same_mail(const struct templates *a, const struct templates *b,
                             const char *template, const char *locale)
{
	static const char context[] = "{\"job\":{\"id\":\"4711\"},\"n\":\"<&>\"}";
	struct outcome one = set_render(a, template, locale, context);
	struct outcome two = set_render(b, template, locale, context);
	assert_true(one.ok && two.ok);
	assert_int_equal(one.broken, two.broken);
	assert_string_equal(buf_text(&one.out), buf_text(&two.out));
	buf_free(&one.out);
	buf_free(&two.out);
}

static void the_same_mails_when_the_files_are_gone(void **state)
{
	static const char *const mails[] = {"dispatched", "started",   "completed", "failed",
	                                    "paused",     "cancelled", "collision", "unreachable",
	                                    "refusals",   "opted_out", "held_back"};
	static const char *const locales[] = {"", "en", "de", "fr", "fr-CA", "fr-BE", "es"};
	struct error err = {0};
	char path[300];
	(void)state;
	put_everything();
	(void)snprintf(path, sizeof path, "%s/paused.txt", set_directory);
	assert_int_equal(symlink("nowhere", path), 0);
	struct templates *templates = templates_load(set_directory, SET_FROM, NULL, NULL, NULL);
	struct templates *again = make_again(templates, NULL, &err);
	assert_non_null(again);
	assert_memory_equal(templates_digest(templates), templates_digest(again),
	                    RENDERING_DIGEST_SIZE);
	for (size_t m = 0; m < sizeof mails / sizeof *mails; m++)
		for (size_t l = 0; l < sizeof locales / sizeof *locales; l++)
			assert_same_mail(templates, again, mails[m], locales[l]);
	templates_unref(templates);
	templates_unref(again);
}

static void expect_other(const unsigned char before[RENDERING_DIGEST_SIZE], const char *from)
{
	struct templates *templates = templates_load(set_directory, from, NULL, NULL, NULL);
	assert_memory_not_equal(before, templates_digest(templates), RENDERING_DIGEST_SIZE);
	templates_unref(templates);
}

static void digests_tell_sets_apart(void **state)
{
	unsigned char digest[RENDERING_DIGEST_SIZE];
	char path[300];
	(void)state;
	put_everything();
	struct templates *templates = templates_load(set_directory, SET_FROM, NULL, NULL, NULL);
	memcpy(digest, templates_digest(templates), sizeof digest);
	templates_unref(templates);
	expect_other(digest, "Else <d@example.com>");
	set_put("sign.html", "<b>tip</b>");
	expect_other(digest, SET_FROM);
	set_put("sign.html", "<b>top</b>");
	(void)snprintf(path, sizeof path, "%s/sign.html", set_directory);
	assert_int_equal(unlink(path), 0);
	expect_other(digest, SET_FROM);
}

static void what_is_not_whole_is_refused(void **state)
{
	struct error err = {0};
	(void)state;
	struct templates *templates = templates_load(NULL, SET_FROM, NULL, NULL, NULL);
	assert_null(make_again(templates, TEMPLATE_BUILT_IN "completed.txt", &err));
	assert_string_equal(err.text, "the set of templates is incomplete");
	assert_null(make_again(templates, TEMPLATE_BUILT_IN "en.ini", &err));
	templates_unref(templates);
}

/* As a version kept it that had no such mail. */
static void mails_of_later_versions_may_be_missing(void **state)
{
	struct error err = {0};
	(void)state;
	struct templates *templates = templates_load(NULL, SET_FROM, NULL, NULL, NULL);
	struct templates *again = make_again(templates, TEMPLATE_BUILT_IN "unreachable.txt", &err);
	assert_non_null(again);
	assert_same_mail(templates, again, "completed", "");
	struct outcome none = set_render(again, "unreachable", "", "{}");
	assert_false(none.ok);
	buf_free(&none.out);
	templates_unref(again);
	templates_unref(templates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(the_same_mails_when_the_files_are_gone, set_setup,
	                                        set_teardown),
	        cmocka_unit_test_setup_teardown(digests_tell_sets_apart, set_setup, set_teardown),
	        cmocka_unit_test(what_is_not_whole_is_refused),
	        cmocka_unit_test(mails_of_later_versions_may_be_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
