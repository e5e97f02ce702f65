/* SPDX-License-Identifier: MIT */
/* The shipped templates, with full and with nearly no data: printed, as mails, and built in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/context.h"
#include "template/catalogue.h"
#include "template/file.h"
#include "template/print.h"
#include "template_set.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHIPPED "conf/templates"

static const char *const names[] = {"dispatched", "started",   "completed", "failed",
                                    "paused",     "cancelled", "collision"};
static const char *const locales[] = {"", "fr", "es", "de"};
enum { NAMES = sizeof names / sizeof *names, LOCALES = sizeof locales / sizeof *locales };

#define FULL                                                                                       \
	"{\"event\":{\"id\":\"e1\",\"time\":\"2026-12-24T13:30:00Z\",\"type\":\"job.x\","          \
	"\"reason\":\"gate "                                                                       \
	"locked\"},"                                                                               \
	"\"job\":{\"id\":\"4711\",\"reference\":\"PO 2209\",\"service\":\"Roll-off swap\","        \
	"\"scheduled\":\"2026-12-24T15:00:00Z\",\"eta\":\"2026-12-24T15:10:00Z\",\"driver\":"      \
	"\"Sam\","                                                                                 \
	"\"vehicle\":\"T12\",\"asset\":\"RO-118\",\"reason\":\"gate "                              \
	"locked\",\"note\":\"a\\n.\\nb\","                                                         \
	"\"amount\":12.5,\"photos\":[\"https://example.com/1.jpg\"]},"                             \
	"\"jobs\":[{\"id\":\"4711\",\"state\":\"started\",\"service\":\"Swap\",\"reference\":"     \
	"\"PO 1\","                                                                                \
	"\"customer\":{\"name\":\"M\xc3\xbcller & <Sons>\",\"address\":\"1 Main St\"}}%s],"        \
	"\"customer\":{\"number\":\"1001\",\"name\":\"M\xc3\xbcller & <Sons>\",\"address\":\"1 "   \
	"Main St\","                                                                               \
	"\"city\":\"Golden\",\"phone\":\"1\"},\"contact\":{\"name\":\"Rosa "                       \
	"M\",\"first_name\":\"Rosa\"},"                                                            \
	"\"window\":{\"arrive_by\":\"2026-12-24T07:00:00-07:00\",\"leave_by\":\"2026-12-24T12:00:" \
	"00-07:"                                                                                   \
	"00\"},"                                                                                   \
	"\"timeline\":[{\"state\":\"dispatched\",\"time\":\"2026-12-24T12:00:00Z\"},"              \
	"{\"state\":\"failed\",\"time\":\"2026-12-24T13:30:00Z\",\"reason\":\"gate locked\"}],"    \
	"\"company\":{\"name\":\"Example Hauling\",\"phone\":\"555 "                               \
	"0199\",\"email\":\"d@example.com\"},"                                                     \
	"\"suspension\":{\"id\":7,\"note\":\"unpaid\",\"from\":\"2026-12-01\",\"until\":null}}"

static const char full[] = FULL;
static const char bare[] = "{\"job\":{\"id\":\"4711\"}}", empty[] = "{}";

static struct templates *shipped(void)
{
	int faults = -1;
	struct templates *templates =
	        templates_load(SHIPPED, SET_FROM, set_no_fault, NULL, &faults);
	assert_int_equal(faults, 0);
	return templates;
}

/* What must never be seen: a label without a value, two empty lines, words of a machine. */
static void check_text(const char *where, const char *text)
{
	static const char *const never[] = {"\n\n\n", ": \n", "None", "null", "true", "false",
	                                    "{{",     "}}",   "()",   " ,",   " .\n", "T13:"};
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (strstr(text, never[i]) != NULL)
			fail_msg("%s: '%s' in:\n%s", where, never[i], text);
}

/* A file with the data and the reader's locale in it. */
static void put_data(int fd, const char *context, const char *locale)
{
	json_t *data = json_loads(context, 0, NULL);
	json_t *customer = json_object_get(data, "customer");
	assert_non_null(data);
	if (customer == NULL)
		json_object_set_new(data, "customer", customer = json_object());
	json_object_set_new(customer, "locale", json_string(locale));
	assert_int_equal(json_dumpfd(data, fd, 0), 0);
	json_decref(data);
	close(fd);
}

static void check_shipped(const char *locale, const char *name, const char *context, bool html)
{
	char path[200], data[200] = "/tmp/dispatchd-test-XXXXXX";
	struct buf out = {0};
	struct error err = {0};
	const struct template_print print = {
	        .file = path, .data_file = data, .html = html, .complete = context_complete};
	put_data(mkstemp(data), context, locale);
	(void)snprintf(path, sizeof path, SHIPPED "/%s.%s", name, html ? "html" : "txt");
	if (!template_print(&print, &out, &err))
		fail_msg("%s", err.text);
	check_text(path, html ? buf_text(&out) : strstr(buf_text(&out), "\n\n") + 1);
	if (html) {
		assert_null(strstr(buf_text(&out), "<Sons>"));
		assert_null(strstr(buf_text(&out), "<img"));
		assert_null(strstr(buf_text(&out), "<script"));
		assert_non_null(strstr(buf_text(&out), "</html>"));
	}
	buf_free(&out);
	unlink(data);
}

static void all_shipped_templates_with_all_data(void **state)
{
	(void)state;
	char one[4000], many[4000];
	(void)snprintf(one, sizeof one, full, "");
	(void)snprintf(many, sizeof many, full, ",{\"id\":\"4712\"}");
	const char *contexts[] = {one, many, bare, empty};
	for (size_t l = 0; l < LOCALES; l++)
		for (size_t n = 0; n < NAMES; n++)
			for (size_t c = 0; c < 4; c++) {
				check_shipped(locales[l], names[n], contexts[c], false);
				check_shipped(locales[l], names[n], contexts[c], true);
			}
}

static void all_mails_render(void **state)
{
	(void)state;
	char one[4000];
	(void)snprintf(one, sizeof one, full, "");
	const char *contexts[] = {one, bare, empty};
	struct templates *templates = shipped();
	for (size_t l = 0; l < LOCALES; l++)
		for (size_t n = 0; n < NAMES; n++)
			for (size_t c = 0; c < 3; c++) {
				struct outcome got =
				        set_render(templates, names[n], locales[l], contexts[c]);
				assert_true(got.ok);
				assert_false(got.broken);
				assert_non_null(strstr(got.out.data, "multipart/alternative"));
				assert_null(strstr(got.out.data, "Subject: \r\n"));
				buf_free(&got.out);
			}
	assert_null(templates_unref(templates));
}

static void shipped_templates_use_known_names_only_each(void *arg, const char *file,
                                                        const char *name)
{
	(*(int *)arg)++;
	if (!context_provides(name))
		fail_msg("%s uses '%s', which nothing provides", file, name);
}

static void shipped_templates_use_known_names_only(void **state)
{
	(void)state;
	int n = 0;
	struct templates *templates = shipped();
	templates_each_name(templates, shipped_templates_use_known_names_only_each, &n);
	assert_true(n > 400);
	templates_unref(templates);
}

/* Built in or read from the folder, the plain mails are the same. */
static void built_in_mails_are_the_shipped_ones(void **state)
{
	(void)state;
	char one[4000], many[4000], *text;
	(void)snprintf(one, sizeof one, full, "");
	(void)snprintf(many, sizeof many, full, ",{\"id\":\"4712\"}");
	const char *contexts[] = {one, many, bare};
	struct templates *ours = shipped(),
	                 *none = templates_load(NULL, SET_FROM, NULL, NULL, NULL);
	for (size_t n = 0; n < NAMES; n++)
		for (size_t c = 0; c < 3; c++) {
			struct outcome a = set_render(ours, names[n], "", contexts[c]);
			struct outcome b = set_render(none, names[n], "", contexts[c]);
			assert_true(a.ok && b.ok && !b.broken);
			text = strstr(b.out.data, "Content-Type: text/plain");
			assert_non_null(text);
			assert_non_null(strstr(a.out.data, text));
			buf_free(&a.out);
			buf_free(&b.out);
		}
	templates_unref(ours);
	templates_unref(none);
}

static void shipped_catalogues_are_whole(void **state)
{
	(void)state;
	static const char *const files[] = {"en", "de", "fr", "es"};
	struct arena *arena = arena_new();
	struct catalogue *all[4];
	for (size_t i = 0; i < 4; i++) {
		char path[100];
		struct buf text = {0};
		struct error err = {0};
		(void)snprintf(path, sizeof path, SHIPPED "/%s.ini", files[i]);
		assert_true(template_read_file(path, &text, &err));
		all[i] = catalogue_parse(arena, text.data, text.len, path, set_no_fault, NULL);
		assert_true(all[i]->n_phrases > 70);
		assert_int_equal(all[i]->n_phrases, all[0]->n_phrases);
		for (size_t k = 0; k < all[0]->n_phrases; k++)
			assert_string_equal(all[i]->phrases[k].key, all[0]->phrases[k].key);
		buf_free(&text);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_shipped_templates_with_all_data),
	        cmocka_unit_test(all_mails_render),
	        cmocka_unit_test(shipped_templates_use_known_names_only),
	        cmocka_unit_test(built_in_mails_are_the_shipped_ones),
	        cmocka_unit_test(shipped_catalogues_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
