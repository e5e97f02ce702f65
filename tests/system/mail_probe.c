/* SPDX-License-Identifier: MIT */
/*
 * Prints for test programs what lib/mail produces, without a daemon:
 *
 *      mail_probe compose < JSON            one mail from its parts
 *      mail_probe render DIRECTORY < JSON   one mail from templates; faults on standard error
 *      mail_probe print FILE DATA [html]    a Mustache file with JSON data
 */
#include "base/jsontext.h"
#include "mail/compose.h"
#include "mail/context.h"
#include "mail/templates.h"
#include "template/print.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 100 };

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static size_t read_jobs(const json_t *root, const char **jobs)
{
	const json_t *list = json_object_get(root, "jobs");
	size_t n = json_array_size(list);
	n = n < JOBS_MAX ? n : JOBS_MAX;
	for (size_t i = 0; i < n; i++)
		jobs[i] = json_string_value(json_array_get(list, i));
	return n;
}

static int finish(struct buf *out, const struct error *err, bool ok)
{
	if (ok)
		(void)fwrite(buf_text(out), 1, out->len, stdout);
	else
		(void)fprintf(stderr, "%s\n", err->text);
	buf_free(out);
	return ok ? 0 : err->code;
}

static int compose(const json_t *root)
{
	const char *jobs[JOBS_MAX];
	struct buf out = {0};
	const struct compose_mail mail = {
	        .from_name = text_of(root, "from_name"),
	        .from = text_of(root, "from"),
	        .to_name = text_of(root, "to_name"),
	        .to = text_of(root, "to"),
	        .reply_to_name = text_of(root, "reply_to_name"),
	        .reply_to = text_of(root, "reply_to"),
	        .subject = text_of(root, "subject"),
	        .message_id = text_of(root, "message_id"),
	        .thread_id = text_of(root, "thread_id"),
	        .made = {json_integer_value(json_object_get(root, "made"))},
	        .jobs = jobs,
	        .n_jobs = read_jobs(root, jobs),
	        .text = text_of(root, "text"),
	        .html = json_string_value(json_object_get(root, "html")),
	};
	compose_mail(&mail, &out);
	return finish(&out, NULL, true);
}

static void show_fault(void *arg, const char *text)
{
	(void)arg;
	(void)fprintf(stderr, "fault: %s\n", text);
}

static int render(const char *directory, json_t *root)
{
	const char *jobs[JOBS_MAX];
	struct buf out = {0};
	struct error err = {0};
	bool broken = false;
	struct templates *templates =
	        templates_load(directory, text_of(root, "from"), show_fault, NULL, NULL);
	struct outgoing_mail *outgoing = outgoing_mail_new();
	char *context = json_dumps(json_object_get(root, "context"), JSON_COMPACT);

	outgoing->to = text_of(root, "to");
	outgoing->to_name = text_of(root, "to_name");
	outgoing->template = text_of(root, "template");
	outgoing->locale = text_of(root, "locale");
	outgoing->timezone = text_of(root, "timezone");
	outgoing->message_id = "<a@example.com>";
	outgoing->thread_id = "<b@example.com>";
	outgoing->made = (struct instant){json_integer_value(json_object_get(root, "made"))};
	outgoing->n_jobs = read_jobs(root, jobs);
	outgoing->jobs = jobs;
	outgoing->context = arena_strdup(outgoing->arena, context ? context : "");
	free(context);
	struct dates *dates = dates_new();
	bool ok = templates_render(templates, dates, outgoing, &out, &broken, &err);
	if (ok && broken)
		(void)fprintf(stderr, "broken: %s\n", err.text);
	dates_free(dates);
	outgoing_mail_free(outgoing);
	templates_unref(templates);
	return finish(&out, &err, ok);
}

int main(int argc, char **argv)
{
	struct error err = {0};
	struct buf text = {0};
	if (argc >= 4 && strcmp(argv[1], "print") == 0) {
		const struct template_print print = {.file = argv[2],
		                                     .data_file = argv[3],
		                                     .html = argc > 4,
		                                     .complete = context_complete};
		bool ok = template_print(&print, &text, &err);
		return finish(&text, &err, ok);
	}
	json_t *root = json_loadf(stdin, 0, NULL);
	if (argc < 2 || root == NULL)
		return 64;
	int code =
	        strcmp(argv[1], "render") == 0 && argc > 2 ? render(argv[2], root) : compose(root);
	json_decref(root);
	return code;
}
