/* SPDX-License-Identifier: MIT */
/*
 * Templates: the shipped ones with full and with nearly no data, the way to the right one by locale,
 * and that a broken one never costs a mail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/context.h"
#include "mail/templates.h"
#include "template/catalogue.h"
#include "template/file.h"
#include "template/print.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHIPPED "conf/templates"

static const char *const names[] = {"dispatched", "started",   "completed", "failed",
                                    "paused",     "cancelled", "collision"};
static const char *const locales[] = {"", "fr", "es", "de"};
enum { NAMES = sizeof names / sizeof *names, LOCALES = sizeof locales / sizeof *locales };

#define FULL                                                                                                 \
	"{\"event\":{\"id\":\"e1\",\"time\":\"2026-12-24T13:30:00Z\",\"type\":\"job.x\",\"reason\":\"gate "  \
	"locked\"},"                                                                                         \
	"\"job\":{\"id\":\"4711\",\"reference\":\"PO 2209\",\"service\":\"Roll-off swap\","                  \
	"\"scheduled\":\"2026-12-24T15:00:00Z\",\"eta\":\"2026-12-24T15:10:00Z\",\"driver\":\"Sam\","        \
	"\"vehicle\":\"T12\",\"asset\":\"RO-118\",\"reason\":\"gate locked\",\"note\":\"a\\n.\\nb\","        \
	"\"amount\":12.5,\"photos\":[\"https://example.com/1.jpg\"]},"                                       \
	"\"jobs\":[{\"id\":\"4711\",\"state\":\"started\",\"service\":\"Swap\",\"reference\":\"PO 1\","      \
	"\"customer\":{\"name\":\"M\xc3\xbcller & <Sons>\",\"address\":\"1 Main St\"}}%s],"                  \
	"\"customer\":{\"number\":\"1001\",\"name\":\"M\xc3\xbcller & <Sons>\",\"address\":\"1 Main St\","   \
	"\"city\":\"Golden\",\"phone\":\"1\"},\"contact\":{\"name\":\"Rosa M\",\"first_name\":\"Rosa\"},"    \
	"\"window\":{\"arrive_by\":\"2026-12-24T07:00:00-07:00\",\"leave_by\":\"2026-12-24T12:00:00-07:"     \
	"00\"},"                                                                                             \
	"\"timeline\":[{\"state\":\"dispatched\",\"time\":\"2026-12-24T12:00:00Z\"},"                        \
	"{\"state\":\"failed\",\"time\":\"2026-12-24T13:30:00Z\",\"reason\":\"gate locked\"}],"              \
	"\"company\":{\"name\":\"Example Hauling\",\"phone\":\"555 0199\",\"email\":\"d@example.com\"},"     \
	"\"suspension\":{\"id\":7,\"note\":\"unpaid\",\"from\":\"2026-12-01\",\"until\":null}}"

static const char full[] = FULL;
static const char bare[] = "{\"job\":{\"id\":\"4711\"}}", empty[] = "{}";

static struct outgoing_mail *outgoing_for(const char *template, const char *locale, const char *context)
{
	struct outgoing_mail *outgoing = outgoing_mail_new();
	outgoing->to = "rosa@example.com";
	outgoing->template = template;
	outgoing->locale = locale;
	outgoing->timezone = "America/Denver";
	outgoing->message_id = "<1@example.com>";
	outgoing->context = context;
	return outgoing;
}

struct outcome {
	struct buf out;
	bool ok, broken;
	struct error err;
};

static struct outcome render(const struct templates *templates, const char *template, const char *locale,
                             const char *context)
{
	struct outcome outcome = {0};
	struct outgoing_mail *outgoing = outgoing_for(template, locale, context);
	struct dates *dates = dates_new();
	outcome.ok = templates_render(templates, dates, outgoing, "Example <d@example.com>", &outcome.out,
	                              &outcome.broken, &outcome.err);
	dates_free(dates);
	outgoing_mail_free(outgoing);
	return outcome;
}

static void print_fault(void *arg, const char *text)
{
	(void)arg;
	print_error("%s\n", text);
}

static struct templates *shipped(void)
{
	int faults = -1;
	struct templates *templates = templates_load(SHIPPED, print_fault, NULL, &faults);
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

static void all_letters_render(void **state)
{
	(void)state;
	char one[4000];
	(void)snprintf(one, sizeof one, full, "");
	const char *contexts[] = {one, bare, empty};
	struct templates *templates = shipped();
	for (size_t l = 0; l < LOCALES; l++)
		for (size_t n = 0; n < NAMES; n++)
			for (size_t c = 0; c < 3; c++) {
				struct outcome got = render(templates, names[n], locales[l], contexts[c]);
				assert_true(got.ok);
				assert_false(got.broken);
				assert_non_null(strstr(got.out.data, "multipart/alternative"));
				assert_null(strstr(got.out.data, "Subject: \r\n"));
				buf_free(&got.out);
			}
	assert_null(templates_unref(templates));
}

static void shipped_templates_use_known_names_only_each(void *arg, const char *file, const char *name)
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

/* ---- sets made for the test */

static char directory[] = "/tmp/dispatchd-test-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[300];
	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	char *slash = strrchr(path + strlen(directory) + 1, '/');
	if (slash != NULL) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/dispatchd-test-XXXXXX");
	return mkdtemp(directory) == NULL;
}

static int teardown(void **state)
{
	(void)state;
	char command[100];
	(void)snprintf(command, sizeof command, "rm -r %s", directory);
	return system(command);
}

/* Without the directory: at the beginning it is left out, elsewhere it is DIR. */
static void collect_fault(void *arg, const char *text)
{
	text += strlen(directory) + 1;
	const char *inner = strstr(text, directory);
	if (inner != NULL)
		buf_printf(arg, "%.*sDIR%s\n", (int)(inner - text), text, inner + strlen(directory));
	else
		buf_printf(arg, "%s\n", text);
}

static struct templates *load(struct buf *faults, int expected)
{
	int n = -1;
	struct templates *templates = templates_load(directory, collect_fault, faults, &n);
	assert_int_equal(n, expected);
	return templates;
}

static void expect(const struct templates *templates, const char *template, const char *locale,
                   const char *text)
{
	struct outcome got = render(templates, template, locale, "{\"job\":{\"id\":\"4711\"},\"n\":\"<&>\"}");
	assert_true(got.ok);
	if (strstr(got.out.data, text) == NULL)
		fail_msg("%s in '%s': '%s' is not in:\n%s", template, locale, text, got.out.data);
	buf_free(&got.out);
}

static void locales_are_looked_up(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("started.txt", "Subject: top\n\ntop text\n");
	put("started.html", "<p>top html</p>\n");
	put("fr/started.txt", "Subject: fr\n\nfr text\n");
	put("fr-CA/started.txt", "Subject: fr-CA\n\nfr-CA text\n");
	put("fr-CA/started.html", "<p>fr-CA html</p>\n");
	put("de/started.html", "<p>never</p>\n");
	put("zh_TW/started.txt", "Subject: zh\n\nzh-TW text\n");
	struct templates *templates = load(&faults, 0);
	expect(templates, "started", "", "top html");
	expect(templates, "started", "fr-CA", "fr-CA html");
	expect(templates, "started", "fr_ca", "fr-CA html");
	expect(templates, "started", "fr", "fr text");
	expect(templates, "started", "fr-BE", "fr text");
	expect(templates, "started", "de-AT", "top html");
	expect(templates, "started", "zh-TW", "zh-TW text");
	expect(templates, "started", "nonsense-", "top html");
	struct outcome got = render(templates, "started", "fr", "{}");
	assert_null(strstr(got.out.data, "html")); /* never another folder's */
	buf_free(&got.out);
	expect(templates, "failed", "fr", "Subject: Could not be done: job 4711\r\n"); /* built in */
	templates_unref(templates);
	buf_free(&faults);
}

static void escaping_and_partials(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("started.txt",
	    "{{! note }}\nsubject: {{n}}\nReply-To: Office <office@example.com>\n\n{{n}} {{> p}}\n");
	put("started.html", "{{n}} {{{n}}} {{> p}}\n");
	put("p.txt", "partial text {{n}}");
	put("p.html", "partial html {{n}}");
	put("notes.md", "{{not a template");
	put("started.txt~", "{{not a template");
	struct templates *templates = load(&faults, 0);
	expect(templates, "started", "", "Subject: <&>\r\n");
	expect(templates, "started", "", "Reply-To: Office <office@example.com>\r\n");
	expect(templates, "started", "", "<&> partial text <&>\r\n");
	expect(templates, "started", "", "&lt;&amp;&gt; <&> partial html &lt;&amp;&gt;\r\n");
	templates_unref(templates);
	buf_free(&faults);
}

static void partials_come_from_the_folders_behind(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("fr_CA/started.txt", "Subject: s\n\n{{> a}}, {{> b}}, {{> c}}\n");
	put("fr/failed.txt", "Subject: s\n\n{{> c}}{{> d}}\n");
	put("paused.txt", "Subject: s\n\n{{> c}}\n");
	put("fr_CA/a.txt", "a Canada");
	put("fr/a.txt", "a France");
	put("fr/b.txt", "b France");
	put("c.txt", "c {{> a}}");
	put("a.txt", "a top");
	put("fr_CA/d.txt", "never");
	put("d.html", "never");
	struct templates *templates = load(&faults, 1);
	assert_non_null(strstr(buf_text(&faults), "fr/failed.txt:3: there is no d.txt beside it\n"));
	expect(templates, "started", "fr-CA", "\r\na Canada, b France, c a Canada\r\n");
	expect(templates, "failed", "fr", "\r\nc a France\r\n");
	expect(templates, "paused", "fr-CA", "\r\nc a top\r\n");
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
	         "completed.txt:1: expected Subject: or Reply-To:, then an empty line and the text"},
	        {"failed.txt", "Subject: x\n", "failed.txt:2: expected an empty line and the text"},
	        {"paused.txt", "Reply-To: a@example.com\n\ntext\n",
	         "paused.txt:2: there is no Subject: above the text"},
	        {"cancelled.txt", "Subject: x\nSubject: y\n\ntext\n", "cancelled.txt:2: a second Subject:"},
	        {"collision.txt", "Subject: x\n\nbad \xff text\n", "collision.txt:3: this is not UTF-8 text"},
	};
	struct buf faults = {0};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		put(cases[i].name, cases[i].text);
	struct templates *templates = load(&faults, sizeof cases / sizeof *cases);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char name[20] = {0};
		assert_non_null(strstr(buf_text(&faults), cases[i].fault));
		memcpy(name, cases[i].name, strlen(cases[i].name) - 4);
		struct outcome got = render(templates, name, "", bare);
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
	put("started.txt", "Subject: x\n\nours {{> both}}\n");
	put("started.html", "<p>ours</p>\n{{> foot}}\n");
	put("paused.txt", "Subject: x\n\nours\n{{#n}}{{> part}}{{/n}}\n");
	put("part.txt", "{{#a}}");
	put("both.txt", "{{job.id}}");
	put("foot.html", "{{/a}}");
	struct templates *templates = load(&faults, 2);
	struct outcome got = render(templates, "started", "", bare);
	assert_true(got.ok && got.broken); /* without its HTML */
	assert_non_null(strstr(got.err.text, "foot.html:1: no section is open"));
	assert_non_null(strstr(got.out.data, "ours 4711"));
	assert_null(strstr(got.out.data, "html"));
	buf_free(&got.out);
	got = render(templates, "paused", "", "{\"job\":{\"id\":\"4711\"},\"n\":1}");
	assert_true(got.ok && got.broken); /* the built-in one */
	assert_non_null(strstr(got.err.text, "part.txt:1: this section is never closed"));
	assert_null(strstr(got.out.data, "ours"));
	assert_non_null(strstr(got.out.data, "4711"));
	buf_free(&got.out);
	got = render(templates, "paused", "", bare);
	assert_true(got.ok && !got.broken); /* not asked for */
	buf_free(&got.out);
	templates_unref(templates);
	buf_free(&faults);
}

/* Built in or read from the directory, the plain letters are the same. */
static void built_in_letters_are_the_shipped_ones(void **state)
{
	(void)state;
	char one[4000], many[4000], *text;
	(void)snprintf(one, sizeof one, full, "");
	(void)snprintf(many, sizeof many, full, ",{\"id\":\"4712\"}");
	const char *contexts[] = {one, many, bare};
	struct templates *ours = shipped(), *none = templates_load(directory, NULL, NULL, NULL);
	for (size_t n = 0; n < NAMES; n++)
		for (size_t c = 0; c < 3; c++) {
			struct outcome a = render(ours, names[n], "", contexts[c]);
			struct outcome b = render(none, names[n], "", contexts[c]);
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

static void missing_partials_are_reported(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("started.txt", "Subject: {{> s}}\n\n{{> there}}\n{{> gone}}\n");
	put("there.txt", "{{> other}}");
	put("gone.html", "");
	struct templates *templates = load(&faults, 3);
	assert_non_null(strstr(buf_text(&faults), "started.txt:1: there is no s.txt beside it\n"));
	assert_non_null(strstr(buf_text(&faults), "started.txt:4: there is no gone.txt beside it\n"));
	assert_non_null(strstr(buf_text(&faults), "there.txt:1: there is no other.txt beside it\n"));
	templates_unref(templates);
	buf_free(&faults);
}

static void what_breaks_when_rendered_is_replaced(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("started.txt", "Subject: x\n\n{{> me}}\n");
	put("me.txt", "{{> me}}");
	put("paused.txt", "Subject: {{nothing}}\n\ntext\n");
	struct templates *templates = load(&faults, 0);
	struct outcome got = render(templates, "started", "", bare);
	assert_true(got.ok && got.broken);
	assert_non_null(strstr(got.err.text, "me.txt:1: partials nest too deep"));
	assert_non_null(strstr(got.out.data, "Subject: Started: job 4711\r\n"));
	buf_free(&got.out);
	got = render(templates, "paused", "", bare);
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
	put("started.txt", "Subject: x\n\nmy own text\n");
	put("started.html", "<p>{{/x}}</p>\n");
	struct templates *templates = load(&faults, 1);
	struct outcome got = render(templates, "started", "", bare);
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
	put("started.txt", "Subject: x\nReply-To: {{job.id}}\n\ntext\n");
	struct templates *templates = load(&faults, 0);
	struct outcome got = render(templates, "started", "",
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
	struct templates *templates = templates_load("/nowhere/at/all", NULL, NULL, &faults);
	assert_int_equal(faults, 1);
	for (size_t i = 0; i < NAMES; i++) {
		struct outcome got = render(templates, names[i], "fr", bare);
		assert_true(got.ok);
		buf_free(&got.out);
	}
	struct outcome got = render(templates, "started", "", "no json");
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
	put("started.txt", "Subject: {{job.id}}\n\n{{#jobs}}{{#reference}}{{reference}}{{/reference}}"
	                   "{{customer.name}}{{#date}}{{time}}|day{{/date}}{{/jobs}}{{refrence}}"
	                   "{{#contact}}{{name}}{{/contact}}{{^window.leave_by}}{{.}}{{/window.leave_by}}\n");
	struct templates *templates = load(&faults, 0);
	templates_each_name(templates, collect_name, &seen);
	assert_string_equal(buf_text(&seen), "job.id jobs jobs.reference jobs.reference customer.name "
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

static void faults_of_printing(void **state)
{
	(void)state;
	static const struct {
		const char *file, *data;
		int code;
		const char *fault;
	} cases[] = {
	        {"none.txt", "good.json", 66, "none.txt: No such file or directory"},
	        {"good.txt", "none.json", 66, "none.json: No such file or directory"},
	        {"bad.txt", "good.json", 65, "bad.txt:2: this section is never closed: x"},
	        {"good.txt", "bad.json", 65, "bad.json"},
	        {"partial.txt", "good.json", 65, "bad.txt:2: this section is never closed: x"},
	};
	put("good.txt", "{{a}} {{> none}}{{> ../good}}.\n");
	put("bad.txt", "\n{{#x}}\n");
	put("partial.txt", "{{> bad}}\n");
	put("good.json", "{\"a\": \"<1>\"}");
	put("bad.json", "{\"a\": \n}");
	char file[300], data[300];
	struct error err = {0};
	struct buf out = {0};
	struct template_print print = {.file = file, .data_file = data};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)snprintf(file, sizeof file, "%s/%s", directory, cases[i].file);
		(void)snprintf(data, sizeof data, "%s/%s", directory, cases[i].data);
		assert_false(template_print(&print, &out, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.text, cases[i].fault));
		assert_int_equal(out.len, 0);
	}
	(void)snprintf(file, sizeof file, "%s/good.txt", directory);
	(void)snprintf(data, sizeof data, "%s/good.json", directory);
	assert_true(template_print(&print, &out, &err));
	assert_string_equal(out.data, "<1> .\n");
	buf_reset(&out);
	print.html = true;
	assert_true(template_print(&print, &out, &err));
	assert_string_equal(out.data, "&lt;1&gt; .\n");
	buf_free(&out);
}

/* A shorter locale's catalogue stands in for a longer one's, English for all, the folder above for this one.
 */
static void printing_reads_catalogues(void **state)
{
	(void)state;
	struct error err = {0};
	struct buf out = {0};
	char file[300], data[300];
	const struct template_print print = {.file = file, .data_file = data, .html = true};
	put("a.html", "{{phrase.a}} {{phrase.b}} {{phrase.c}} {{phrase.d}}.\n");
	put("fr/b.html", "{{phrase.a}}\n");
	put("fr-CA.ini", "a = A-CA & {{n}}\n");
	put("fr.ini", "a = A-fr\nb = B-fr\n");
	put("en.ini", "a = A\nb = B\nc = C\nbad = {{#x}}\n");
	put("bad.html", "{{phrase.bad}}\n");
	put("data.json", "{\"n\":\"<1>\",\"customer\":{\"locale\":\"fr-CA\"}}");
	(void)snprintf(data, sizeof data, "%s/data.json", directory);
	(void)snprintf(file, sizeof file, "%s/a.html", directory);
	assert_true(template_print(&print, &out, &err));
	assert_string_equal(out.data, "A-CA &amp; &lt;1&gt; B-fr C .\n");
	buf_reset(&out);
	(void)snprintf(file, sizeof file, "%s/fr/b.html", directory);
	assert_true(template_print(&print, &out, &err));
	assert_string_equal(out.data, "A-CA &amp; &lt;1&gt;\n");
	buf_reset(&out);
	(void)snprintf(file, sizeof file, "%s/bad.html", directory);
	assert_false(template_print(&print, &out, &err));
	assert_non_null(strstr(err.text, "en.ini:4: this section is never closed: x"));
	buf_free(&out);
}

/* ---- catalogues */

static void faults_are(const char *expected, int n)
{
	struct buf faults = {0};
	struct templates *templates = load(&faults, n);
	assert_string_equal(buf_text(&faults), expected);
	templates_unref(templates);
	buf_free(&faults);
}

#define LETTER "Subject: {{phrase.s}}\n\n{{phrase.hello}}, {{> part}}\n"

static void phrases_are_the_readers(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("started.txt", LETTER);
	put("started.html", "<p>{{phrase.hello}}</p>\n");
	put("part.txt", "top {{phrase.s}}");
	put("en.ini", "s = English\nhello = Hello & {{n}}\n");
	put("de.ini", "s = Deutsch\nhello = Guten Tag\n");
	put("de_AT.ini", "hello = Gr\xc3\xbc\xc3\x9f Gott\n");
	put("fr/part.txt", "fran\xc3\xa7"
	                   "ais");
	put("fr.ini", "s = Fr\nhello = Bonjour\n");
	struct templates *templates = load(&faults, 0);
	expect(templates, "started", "", "Subject: English\r\n");
	expect(templates, "started", "", "<p>Hello &amp; &lt;&amp;&gt;</p>");
	expect(templates, "started", "", "\r\nHello & <&>, top English\r\n");
	expect(templates, "started", "pl", "Subject: English\r\n");
	expect(templates, "started", "de-CH", "\r\nGuten Tag, top Deutsch\r\n");
	expect(templates, "started", "de-AT", "\r\nGr=C3=BC=C3=9F Gott, top Deutsch\r\n");
	/* A part in the reader's folder wins, and a part is no letter of its own. */
	expect(templates, "started", "fr", "\r\nBonjour, fran=C3=A7ais\r\n");
	templates_unref(templates);
	buf_free(&faults);
}

static void a_whole_file_wins(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("started.txt", LETTER);
	put("paused.txt", "Subject: top\n\nwords of its own, {{> part}}\n");
	put("part.txt", "{{phrase.hello}}");
	put("en.ini", "s = English\nhello = Hello\n");
	put("de.ini", "s = Deutsch\nhello = Guten Tag\n");
	put("de/started.txt", "Subject: ganz\n\nganze Datei, {{> part}}\n");
	put("de/part.txt", "Teil");
	struct templates *templates = load(&faults, 0);
	expect(templates, "started", "de-AT", "Subject: ganz\r\n");
	expect(templates, "started", "de", "\r\nganze Datei, Teil\r\n");
	expect(templates, "started", "fr", "Subject: English\r\n");
	/* A letter with words of its own has its parts from its own folder, as before there were catalogues.
	 */
	expect(templates, "paused", "de", "\r\nwords of its own, Hello\r\n");
	templates_unref(templates);
	buf_free(&faults);
}

static void missing_phrases_are_named(void **state)
{
	(void)state;
	put("started.txt", LETTER "{{phrase.nowhere}}\n");
	put("part.txt", "{{phrase.inner}}");
	put("en.ini", "s = English\nhello = Hello\ninner = I {{phrase.deep}}\n");
	put("de.ini", "s = Deutsch\ninner = {{phrase.deep}}\ndeep = tief\n");
	put("de-AT.ini", "deep = tiaf\n");
	put("fr/started.txt", "Subject: whole\n\nwhole\n");
	put("fr.ini", "s = never asked for\n");
	faults_are("en.ini: missing phrase \"nowhere\", which DIR/started.txt needs\n"
	           "en.ini: missing phrase \"deep\", which DIR/en.ini needs\n"
	           "de.ini: missing phrase \"hello\", which DIR/started.txt needs\n"
	           "de.ini: missing phrase \"nowhere\", which DIR/started.txt needs\n",
	           4);
}

static void unknown_phrases_are_named(void **state)
{
	(void)state;
	put("started.txt", "Subject: {{phrase.mine}}\n\ntext\n");
	put("en.ini", "mine = {{phrase.other}}\nother = x\n");
	put("de.ini", "mine = x\nother = y\nlabel.resaon = Grund\nzzzzzzzz = x\nlabel.reason = Grund\n");
	faults_are("de.ini:3: unknown phrase \"label.resaon\"; did you mean \"label.reason\"?\n"
	           "de.ini:4: unknown phrase \"zzzzzzzz\"\n",
	           2);
}

static void a_broken_phrase_breaks_what_reads_it(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("started.txt", "Subject: ours\n\n{{#n}}{{phrase.bad}}{{/n}}\n");
	put("de.ini", "bad = {{#a}}\n");
	put("en.ini", "bad = good\n");
	struct templates *templates = load(&faults, 1);
	assert_string_equal(buf_text(&faults), "de.ini:1: this section is never closed: a\n");
	struct outcome got = render(templates, "started", "de", "{\"job\":{\"id\":\"4711\"},\"n\":1}");
	assert_true(got.ok && got.broken);
	assert_non_null(strstr(got.err.text, "de.ini:1: this section is never closed: a"));
	assert_non_null(strstr(got.out.data, "Subject: Started: job 4711\r\n"));
	buf_free(&got.out);
	got = render(templates, "started", "de", bare);
	assert_true(got.ok && !got.broken);
	buf_free(&got.out);
	templates_unref(templates);
	buf_free(&faults);
}

/* Without a catalogue, or where English lacks a phrase, the built-in words are taken. */
static void the_built_in_catalogue_is_behind_all(void **state)
{
	(void)state;
	struct buf faults = {0};
	put("started.txt", "Subject: {{phrase.started.title}}\n\n{{phrase.gone}}.\n");
	struct templates *templates = load(&faults, 1);
	assert_non_null(strstr(buf_text(&faults), "no catalogue has the phrase \"gone\"\n"));
	expect(templates, "started", "de", "Subject: Your job has started\r\n");
	expect(templates, "started", "", "\r\n=2E\r\n");
	templates_unref(templates);
	buf_free(&faults);
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
		all[i] = catalogue_parse(arena, text.data, text.len, path, print_fault, NULL);
		assert_true(all[i]->n_phrases > 70);
		assert_int_equal(all[i]->n_phrases, all[0]->n_phrases);
		for (size_t k = 0; k < all[0]->n_phrases; k++)
			assert_string_equal(all[i]->phrases[k].key, all[0]->phrases[k].key);
		buf_free(&text);
	}
	arena_free(arena);
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_shipped_templates_with_all_data),
	        cmocka_unit_test(all_letters_render),
	        cmocka_unit_test(shipped_templates_use_known_names_only),
	        cmocka_unit_test(a_missing_directory_is_a_fault),
	        WITH_DIRECTORY(locales_are_looked_up),
	        WITH_DIRECTORY(escaping_and_partials),
	        WITH_DIRECTORY(partials_come_from_the_folders_behind),
	        WITH_DIRECTORY(broken_templates_are_reported_and_replaced),
	        WITH_DIRECTORY(a_broken_partial_breaks_what_includes_it),
	        WITH_DIRECTORY(built_in_letters_are_the_shipped_ones),
	        WITH_DIRECTORY(missing_partials_are_reported),
	        WITH_DIRECTORY(what_breaks_when_rendered_is_replaced),
	        WITH_DIRECTORY(a_broken_html_leaves_the_text),
	        WITH_DIRECTORY(a_bad_reply_to_is_left_out),
	        WITH_DIRECTORY(names_are_written_out),
	        WITH_DIRECTORY(faults_of_printing),
	        WITH_DIRECTORY(printing_reads_catalogues),
	        WITH_DIRECTORY(phrases_are_the_readers),
	        WITH_DIRECTORY(a_whole_file_wins),
	        WITH_DIRECTORY(missing_phrases_are_named),
	        WITH_DIRECTORY(unknown_phrases_are_named),
	        WITH_DIRECTORY(a_broken_phrase_breaks_what_reads_it),
	        WITH_DIRECTORY(the_built_in_catalogue_is_behind_all),
	        cmocka_unit_test(shipped_catalogues_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
