/* SPDX-License-Identifier: MIT */
/*
 * Sets of templates for unit tests: written to a folder, loaded, and rendered for a mail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "template_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct outgoing_mail *outgoing_for(const char *template, const char *locale,
                                          const char *context)
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

struct outcome set_render(const struct templates *templates, const char *template,
                          const char *locale, const char *context)
{
	struct outcome outcome = {0};
	struct outgoing_mail *outgoing = outgoing_for(template, locale, context);
	struct dates *dates = dates_new();
	outcome.ok = templates_render(templates, dates, outgoing, &outcome.out, &outcome.broken,
	                              &outcome.err);
	dates_free(dates);
	outgoing_mail_free(outgoing);
	return outcome;
}

void set_no_fault(void *arg, const char *text)
{
	(void)arg;
	print_error("%s\n", text);
}

char set_directory[] = "/tmp/dispatchd-test-XXXXXX";

void set_put(const char *name, const char *text)
{
	char path[300];
	(void)snprintf(path, sizeof path, "%s/%s", set_directory, name);
	char *slash = strrchr(path + strlen(set_directory) + 1, '/');
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

int set_setup(void **state)
{
	(void)state;
	strcpy(set_directory, "/tmp/dispatchd-test-XXXXXX");
	return mkdtemp(set_directory) == NULL;
}

int set_teardown(void **state)
{
	(void)state;
	char command[100];
	(void)snprintf(command, sizeof command, "rm -r %s", set_directory);
	return system(command);
}

/* Without the folder's path: at the beginning it is left out, elsewhere it is DIR. */
static void collect_fault(void *arg, const char *text)
{
	text += strlen(set_directory) + 1;
	const char *inner = strstr(text, set_directory);
	if (inner != NULL)
		buf_printf(arg, "%.*sDIR%s\n", (int)(inner - text), text,
		           inner + strlen(set_directory));
	else
		buf_printf(arg, "%s\n", text);
}

struct templates *set_load(struct buf *faults, int expected)
{
	int n = -1;
	struct templates *templates =
	        templates_load(set_directory, SET_FROM, collect_fault, faults, &n);
	assert_int_equal(n, expected);
	return templates;
}

void set_expect(const struct templates *templates, const char *template, const char *locale,
                const char *text)
{
	struct outcome got = set_render(templates, template, locale,
	                                "{\"job\":{\"id\":\"4711\"},\"n\":\"<&>\"}");
	assert_true(got.ok);
	if (strstr(got.out.data, text) == NULL)
		fail_msg("%s in '%s': '%s' is not in:\n%s", template, locale, text, got.out.data);
	buf_free(&got.out);
}
