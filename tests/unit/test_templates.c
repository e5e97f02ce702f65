/* SPDX-License-Identifier: MIT */
/* Sets of templates: the way to the right one by locale, and that a broken one never costs a mail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/context.h"
#include "template_set.h"

#include <string.h>

static const char *const names[] = {"dispatched", "started",   "completed", "failed",
                                    "paused",     "cancelled", "collision"};
enum { NAMES = sizeof names / sizeof *names };

static const char bare[] = "{\"job\":{\"id\":\"4711\"}}";

static void locales_are_looked_up(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", "Subject: top\n\ntop text\n");
	set_put("started.html", "<p>top html</p>\n");
	set_put("fr/started.txt", "Subject: fr\n\nfr text\n");
	set_put("fr-CA/started.txt", "Subject: fr-CA\n\nfr-CA text\n");
	set_put("fr-CA/started.html", "<p>fr-CA html</p>\n");
	set_put("de/started.html", "<p>never</p>\n");
	set_put("zh_TW/started.txt", "Subject: zh\n\nzh-TW text\n");
	struct templates *templates = set_load(&faults, 0);
	set_expect(templates, "started", "", "top html");
	set_expect(templates, "started", "fr-CA", "fr-CA html");
	set_expect(templates, "started", "fr_ca", "fr-CA html");
	set_expect(templates, "started", "fr", "fr text");
	set_expect(templates, "started", "fr-BE", "fr text");
	set_expect(templates, "started", "de-AT", "top html");
	set_expect(templates, "started", "zh-TW", "zh-TW text");
	set_expect(templates, "started", "nonsense-", "top html");
	struct outcome got = set_render(templates, "started", "fr", "{}");
	assert_null(strstr(got.out.data, "html")); /* never another folder's */
	buf_free(&got.out);
	set_expect(templates, "failed", "fr",
	           "Subject: Could not be completed: job 4711\r\n"); /* built in */
	templates_unref(templates);
	buf_free(&faults);
}

static void escaping_and_partials(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", "{{! note }}\nsubject: {{n}}\nReply-To: Office "
	                       "<office@example.com>\n\n{{n}} {{> p}}\n");
	set_put("started.html", "{{n}} {{{n}}} {{> p}}\n");
	set_put("p.txt", "partial text {{n}}");
	set_put("p.html", "partial html {{n}}");
	set_put("notes.md", "{{not a template");
	set_put("started.txt~", "{{not a template");
	struct templates *templates = set_load(&faults, 0);
	set_expect(templates, "started", "", "Subject: <&>\r\n");
	set_expect(templates, "started", "", "Reply-To: Office <office@example.com>\r\n");
	set_expect(templates, "started", "", "<&> partial text <&>\r\n");
	set_expect(templates, "started", "", "&lt;&amp;&gt; <&> partial html &lt;&amp;&gt;\r\n");
	templates_unref(templates);
	buf_free(&faults);
}

static void partials_come_from_the_folders_behind(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("fr_CA/started.txt", "Subject: s\n\n{{> a}}, {{> b}}, {{> c}}\n");
	set_put("fr/failed.txt", "Subject: s\n\n{{> c}}{{> d}}\n");
	set_put("paused.txt", "Subject: s\n\n{{> c}}\n");
	set_put("fr_CA/a.txt", "a Canada");
	set_put("fr/a.txt", "a France");
	set_put("fr/b.txt", "b France");
	set_put("c.txt", "c {{> a}}");
	set_put("a.txt", "a top");
	set_put("fr_CA/d.txt", "never");
	set_put("d.html", "never");
	struct templates *templates = set_load(&faults, 1);
	assert_non_null(strstr(buf_text(&faults), "fr/failed.txt:3: missing part d.txt\n"));
	set_expect(templates, "started", "fr-CA", "\r\na Canada, b France, c a Canada\r\n");
	set_expect(templates, "failed", "fr", "\r\nc a France\r\n");
	set_expect(templates, "paused", "fr-CA", "\r\nc a top\r\n");
	templates_unref(templates);
	buf_free(&faults);
}

static void broken_templates_are_reported_and_replaced(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *fault;
	} cases[] = {
	        {"dispatched.txt", "Subject: x\n\ntext {{#a}}\n",
	         "dispatched.txt:3: this section is never closed: a"},
	        {"started.txt", "Subject: {{x\n\ntext\n",
	         "started.txt:1: a tag is opened and never closed: expected }}"},
	        {"completed.txt", "Hello,\n\ntext\n",
	         "completed.txt:1: expected Subject: or Reply-To:, then an empty line and the "
	         "text"},
	        {"failed.txt", "Subject: x\n", "failed.txt:2: expected an empty line and the text"},
	        {"paused.txt", "Reply-To: a@example.com\n\ntext\n",
	         "paused.txt:2: missing Subject: above the text"},
	        {"cancelled.txt", "Subject: x\nSubject: y\n\ntext\n",
	         "cancelled.txt:2: a second Subject:"},
	        {"collision.txt", "Subject: x\n\nbad \xff text\n",
	         "collision.txt:3: this is not UTF-8 text"},
	};
	struct buf faults = {0};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		set_put(cases[i].name, cases[i].text);
	struct templates *templates = set_load(&faults, sizeof cases / sizeof *cases);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char name[20] = {0};
		assert_non_null(strstr(buf_text(&faults), cases[i].fault));
		memcpy(name, cases[i].name, strlen(cases[i].name) - 4);
		struct outcome got = set_render(templates, name, "", bare);
		assert_true(got.ok);
		assert_true(got.broken);
		assert_non_null(strstr(got.err.text, cases[i].fault));
		assert_non_null(strstr(got.out.data, "4711"));
		buf_free(&got.out);
	}
	templates_unref(templates);
	buf_free(&faults);
}

static void a_broken_partial_breaks_what_includes_it(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", "Subject: x\n\nours {{> both}}\n");
	set_put("started.html", "<p>ours</p>\n{{> foot}}\n");
	set_put("paused.txt", "Subject: x\n\nours\n{{#n}}{{> part}}{{/n}}\n");
	set_put("part.txt", "{{#a}}");
	set_put("both.txt", "{{job.id}}");
	set_put("foot.html", "{{/a}}");
	struct templates *templates = set_load(&faults, 2);
	struct outcome got = set_render(templates, "started", "", bare);
	assert_true(got.ok && got.broken); /* without its HTML */
	assert_non_null(strstr(got.err.text, "foot.html:1: no section is open"));
	assert_non_null(strstr(got.out.data, "ours 4711"));
	assert_null(strstr(got.out.data, "html"));
	buf_free(&got.out);
	got = set_render(templates, "paused", "", "{\"job\":{\"id\":\"4711\"},\"n\":1}");
	assert_true(got.ok && got.broken); /* the built-in one */
	assert_non_null(strstr(got.err.text, "part.txt:1: this section is never closed"));
	assert_null(strstr(got.out.data, "ours"));
	assert_non_null(strstr(got.out.data, "4711"));
	buf_free(&got.out);
	got = set_render(templates, "paused", "", bare);
	assert_true(got.ok && !got.broken); /* not asked for */
	buf_free(&got.out);
	templates_unref(templates);
	buf_free(&faults);
}

static void missing_partials_are_reported(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", "Subject: {{> s}}\n\n{{> there}}\n{{> gone}}\n");
	set_put("there.txt", "{{> other}}");
	set_put("gone.html", "");
	struct templates *templates = set_load(&faults, 3);
	assert_non_null(strstr(buf_text(&faults), "started.txt:1: missing part s.txt\n"));
	assert_non_null(strstr(buf_text(&faults), "started.txt:4: missing part gone.txt\n"));
	assert_non_null(strstr(buf_text(&faults), "there.txt:1: missing part other.txt\n"));
	templates_unref(templates);
	buf_free(&faults);
}

static void what_breaks_when_rendered_is_replaced(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", "Subject: x\n\n{{> me}}\n");
	set_put("me.txt", "{{> me}}");
	set_put("paused.txt", "Subject: {{nothing}}\n\ntext\n");
	struct templates *templates = set_load(&faults, 0);
	struct outcome got = set_render(templates, "started", "", bare);
	assert_true(got.ok && got.broken);
	assert_non_null(strstr(got.err.text, "me.txt:1: partials nest too deep"));
	assert_non_null(strstr(got.out.data, "Subject: Started: job 4711\r\n"));
	buf_free(&got.out);
	got = set_render(templates, "paused", "", bare);
	assert_true(got.ok && got.broken);
	assert_non_null(strstr(got.err.text, "paused.txt: the subject is empty"));
	buf_free(&got.out);
	templates_unref(templates);
	buf_free(&faults);
}

static void a_broken_html_leaves_the_text(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", "Subject: x\n\nmy own text\n");
	set_put("started.html", "<p>{{/x}}</p>\n");
	struct templates *templates = set_load(&faults, 1);
	struct outcome got = set_render(templates, "started", "", bare);
	assert_true(got.ok && got.broken);
	assert_non_null(strstr(got.err.text, "started.html:1: no section is open here"));
	assert_non_null(strstr(got.out.data, "my own text"));
	assert_null(strstr(got.out.data, "multipart"));
	buf_free(&got.out);
	templates_unref(templates);
	buf_free(&faults);
}

static void a_bad_reply_to_is_left_out(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", "Subject: x\nReply-To: {{job.id}}\n\ntext\n");
	struct templates *templates = set_load(&faults, 0);
	struct outcome got =
	        set_render(templates, "started", "",
	                   "{\"job\":{\"id\":\"a@example.com\\r\\nBcc: b@example.com\"}}");
	assert_true(got.ok);
	assert_null(strstr(got.out.data, "Reply-To"));
	assert_null(strstr(got.out.data, "Bcc"));
	buf_free(&got.out);
	templates_unref(templates);
	buf_free(&faults);
}

static void a_missing_directory_is_a_fault(void **state)
{
	(void)state;
	int faults = 0;
	struct templates *templates =
	        templates_load("/nowhere/at/all", SET_FROM, NULL, NULL, &faults);
	assert_int_equal(faults, 1);
	for (size_t i = 0; i < NAMES; i++) {
		struct outcome got = set_render(templates, names[i], "fr", bare);
		assert_true(got.ok);
		buf_free(&got.out);
	}
	struct outcome got = set_render(templates, "started", "", "no json");
	assert_false(got.ok);
	buf_free(&got.out);
	assert_non_null(templates_ref(templates));
	assert_null(templates_unref(templates));
	assert_null(templates_unref(templates));
}

static void collect_name(void *arg, const char *file, const char *name)
{
	(void)file;
	buf_printf(arg, "%s ", name);
}

static void names_are_written_out(void **state)
{
	(void)state;
	struct buf faults = {0}, seen = {0};
	set_put("started.txt",
	        "Subject: {{job.id}}\n\n{{#jobs}}{{#reference}}{{reference}}{{/reference}}"
	        "{{customer.name}}{{#date}}{{time}}|day{{/date}}{{/jobs}}{{refrence}}"
	        "{{#contact}}{{name}}{{/contact}}{{^window.leave_by}}{{.}}{{/window.leave_by}}\n");
	struct templates *templates = set_load(&faults, 0);
	templates_each_name(templates, collect_name, &seen);
	assert_string_equal(buf_text(&seen),
	                    "job.id jobs jobs.reference jobs.reference customer.name "
	                    "jobs.time refrence contact contact.name window.leave_by ");
	assert_true(context_provides("jobs.reference"));
	assert_true(context_provides("jobs.customer.city"));
	assert_false(context_provides("refrence"));
	assert_false(context_provides("job.refrence"));
	assert_false(context_provides("job.ref"));
	templates_unref(templates);
	buf_free(&faults);
	buf_free(&seen);
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_setup, set_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_missing_directory_is_a_fault),
	        WITH_DIRECTORY(locales_are_looked_up),
	        WITH_DIRECTORY(escaping_and_partials),
	        WITH_DIRECTORY(partials_come_from_the_folders_behind),
	        WITH_DIRECTORY(broken_templates_are_reported_and_replaced),
	        WITH_DIRECTORY(a_broken_partial_breaks_what_includes_it),
	        WITH_DIRECTORY(missing_partials_are_reported),
	        WITH_DIRECTORY(what_breaks_when_rendered_is_replaced),
	        WITH_DIRECTORY(a_broken_html_leaves_the_text),
	        WITH_DIRECTORY(a_bad_reply_to_is_left_out),
	        WITH_DIRECTORY(names_are_written_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
