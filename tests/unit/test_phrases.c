/* SPDX-License-Identifier: MIT */
/* Phrases in sets of templates and in printed ones: whose words a reader gets, and what is said to
 * be missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/context.h"
#include "template/print.h"
#include "template_set.h"

#include <stdio.h>
#include <string.h>

static const char bare[] = "{\"job\":{\"id\":\"4711\"}}";

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
	set_put("good.txt", "{{a}} {{> none}}{{> ../good}}.\n");
	set_put("bad.txt", "\n{{#x}}\n");
	set_put("partial.txt", "{{> bad}}\n");
	set_put("good.json", "{\"a\": \"<1>\"}");
	set_put("bad.json", "{\"a\": \n}");
	char file[300], data[300];
	struct error err = {0};
	struct buf out = {0};
	struct template_print print = {.file = file, .data_file = data};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)snprintf(file, sizeof file, "%s/%s", set_directory, cases[i].file);
		(void)snprintf(data, sizeof data, "%s/%s", set_directory, cases[i].data);
		assert_false(template_print(&print, &out, &err));
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.text, cases[i].fault));
		assert_int_equal(out.len, 0);
	}
	(void)snprintf(file, sizeof file, "%s/good.txt", set_directory);
	(void)snprintf(data, sizeof data, "%s/good.json", set_directory);
	assert_true(template_print(&print, &out, &err));
	assert_string_equal(out.data, "<1> .\n");
	buf_reset(&out);
	print.html = true;
	assert_true(template_print(&print, &out, &err));
	assert_string_equal(out.data, "&lt;1&gt; .\n");
	buf_free(&out);
}

/* A shorter locale's catalogue stands in for a longer one's, English for all, the folder above for
 * this one.
 */
static void printing_reads_catalogues(void **state)
{
	(void)state;
	struct error err = {0};
	struct buf out = {0};
	char file[300], data[300];
	const struct template_print print = {.file = file, .data_file = data, .html = true};
	set_put("a.html", "{{phrase.a}} {{phrase.b}} {{phrase.c}} {{phrase.d}}.\n");
	set_put("fr/b.html", "{{phrase.a}}\n");
	set_put("fr-CA.ini", "a = A-CA & {{n}}\n");
	set_put("fr.ini", "a = A-fr\nb = B-fr\n");
	set_put("en.ini", "a = A\nb = B\nc = C\nbad = {{#x}}\n");
	set_put("bad.html", "{{phrase.bad}}\n");
	set_put("data.json", "{\"n\":\"<1>\",\"customer\":{\"locale\":\"fr-CA\"}}");
	(void)snprintf(data, sizeof data, "%s/data.json", set_directory);
	(void)snprintf(file, sizeof file, "%s/a.html", set_directory);
	assert_true(template_print(&print, &out, &err));
	assert_string_equal(out.data, "A-CA &amp; &lt;1&gt; B-fr C .\n");
	buf_reset(&out);
	(void)snprintf(file, sizeof file, "%s/fr/b.html", set_directory);
	assert_true(template_print(&print, &out, &err));
	assert_string_equal(out.data, "A-CA &amp; &lt;1&gt;\n");
	buf_reset(&out);
	(void)snprintf(file, sizeof file, "%s/bad.html", set_directory);
	assert_false(template_print(&print, &out, &err));
	assert_non_null(strstr(err.text, "en.ini:4: this section is never closed: x"));
	buf_free(&out);
}

/* ---- catalogues */

static void faults_are(const char *expected, int n)
{
	struct buf faults = {0};
	struct templates *templates = set_load(&faults, n);
	assert_string_equal(buf_text(&faults), expected);
	templates_unref(templates);
	buf_free(&faults);
}

#define STARTED "Subject: {{phrase.s}}\n\n{{phrase.hello}}, {{> part}}\n"

static void phrases_are_the_readers(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", STARTED);
	set_put("started.html", "<p>{{phrase.hello}}</p>\n");
	set_put("part.txt", "top {{phrase.s}}");
	set_put("en.ini", "s = English\nhello = Hello & {{n}}\n");
	set_put("de.ini", "s = Deutsch\nhello = Guten Tag\n");
	set_put("de_AT.ini", "hello = Gr\xc3\xbc\xc3\x9f Gott\n");
	set_put("fr/part.txt", "fran\xc3\xa7"
	                       "ais");
	set_put("fr.ini", "s = Fr\nhello = Bonjour\n");
	struct templates *templates = set_load(&faults, 0);
	set_expect(templates, "started", "", "Subject: English\r\n");
	set_expect(templates, "started", "", "<p>Hello &amp; &lt;&amp;&gt;</p>");
	set_expect(templates, "started", "", "\r\nHello & <&>, top English\r\n");
	set_expect(templates, "started", "pl", "Subject: English\r\n");
	set_expect(templates, "started", "de-CH", "\r\nGuten Tag, top Deutsch\r\n");
	set_expect(templates, "started", "de-AT", "\r\nGr=C3=BC=C3=9F Gott, top Deutsch\r\n");
	/* A part in the reader's folder wins, and a part is not a mail of its own. */
	set_expect(templates, "started", "fr", "\r\nBonjour, fran=C3=A7ais\r\n");
	templates_unref(templates);
	buf_free(&faults);
}

static void a_whole_file_wins(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", STARTED);
	set_put("paused.txt", "Subject: top\n\nwords of its own, {{> part}}\n");
	set_put("part.txt", "{{phrase.hello}}");
	set_put("en.ini", "s = English\nhello = Hello\n");
	set_put("de.ini", "s = Deutsch\nhello = Guten Tag\n");
	set_put("de/started.txt", "Subject: ganz\n\nganze Datei, {{> part}}\n");
	set_put("de/part.txt", "Teil");
	struct templates *templates = set_load(&faults, 0);
	set_expect(templates, "started", "de-AT", "Subject: ganz\r\n");
	set_expect(templates, "started", "de", "\r\nganze Datei, Teil\r\n");
	set_expect(templates, "started", "fr", "Subject: English\r\n");
	/* A mail with words of its own has its parts from its own folder, as before there were
	 * catalogues.
	 */
	set_expect(templates, "paused", "de", "\r\nwords of its own, Hello\r\n");
	templates_unref(templates);
	buf_free(&faults);
}

static void missing_phrases_are_named(void **state)
{
	(void)state;
	set_put("started.txt", STARTED "{{phrase.nowhere}}\n");
	set_put("part.txt", "{{phrase.inner}}");
	set_put("en.ini", "s = English\nhello = Hello\ninner = I {{phrase.deep}}\n");
	set_put("de.ini", "s = Deutsch\ninner = {{phrase.deep}}\ndeep = tief\n");
	set_put("de-AT.ini", "deep = tiaf\n");
	set_put("fr/started.txt", "Subject: whole\n\nwhole\n");
	set_put("fr.ini", "s = never asked for\n");
	faults_are("en.ini: missing phrase \"nowhere\", which DIR/started.txt needs\n"
	           "en.ini: missing phrase \"deep\", which DIR/en.ini needs\n"
	           "de.ini: missing phrase \"hello\", which DIR/started.txt needs\n"
	           "de.ini: missing phrase \"nowhere\", which DIR/started.txt needs\n",
	           4);
}

static void unknown_phrases_are_named(void **state)
{
	(void)state;
	set_put("started.txt", "Subject: {{phrase.mine}}\n\ntext\n");
	set_put("en.ini", "mine = {{phrase.other}}\nother = x\n");
	set_put("de.ini",
	        "mine = x\nother = y\nlabel.resaon = Grund\nzzzzzzzz = x\nlabel.reason = Grund\n");
	faults_are("de.ini:3: unknown phrase \"label.resaon\"; did you mean \"label.reason\"?\n"
	           "de.ini:4: unknown phrase \"zzzzzzzz\"\n",
	           2);
}

static void a_broken_phrase_breaks_what_reads_it(void **state)
{
	(void)state;
	struct buf faults = {0};
	set_put("started.txt", "Subject: ours\n\n{{#n}}{{phrase.bad}}{{/n}}\n");
	set_put("de.ini", "bad = {{#a}}\n");
	set_put("en.ini", "bad = good\n");
	struct templates *templates = set_load(&faults, 1);
	assert_string_equal(buf_text(&faults), "de.ini:1: this section is never closed: a\n");
	struct outcome got =
	        set_render(templates, "started", "de", "{\"job\":{\"id\":\"4711\"},\"n\":1}");
	assert_true(got.ok && got.broken);
	assert_non_null(strstr(got.err.text, "de.ini:1: this section is never closed: a"));
	assert_non_null(strstr(got.out.data, "Subject: Started: job 4711\r\n"));
	buf_free(&got.out);
	got = set_render(templates, "started", "de", bare);
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
	set_put("started.txt", "Subject: {{phrase.started.title}}\n\n{{phrase.gone}}.\n");
	struct templates *templates = set_load(&faults, 1);
	assert_non_null(strstr(buf_text(&faults), "no catalogue has the phrase \"gone\"\n"));
	set_expect(templates, "started", "de", "Subject: Your job has started\r\n");
	set_expect(templates, "started", "", "\r\n=2E\r\n");
	templates_unref(templates);
	buf_free(&faults);
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_setup, set_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WITH_DIRECTORY(faults_of_printing),
	        WITH_DIRECTORY(printing_reads_catalogues),
	        WITH_DIRECTORY(phrases_are_the_readers),
	        WITH_DIRECTORY(a_whole_file_wins),
	        WITH_DIRECTORY(missing_phrases_are_named),
	        WITH_DIRECTORY(unknown_phrases_are_named),
	        WITH_DIRECTORY(a_broken_phrase_breaks_what_reads_it),
	        WITH_DIRECTORY(the_built_in_catalogue_is_behind_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
