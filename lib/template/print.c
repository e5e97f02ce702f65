/* SPDX-License-Identifier: MIT */
/* One template from a file with data from a file: what an admin who writes templates tries out. */
#include "mail/print.h"

#include "base/jsontext.h"
#include "mail/context.h"
#include "mail/templates_set.h"
#include "template/dates.h"
#include "template/mustache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { DATA_MAX = 16 * 1024 * 1024, PARTIALS_MAX = 256 };

/* Partials are read when they are first asked for. */
struct partials {
	struct arena *arena;
	const char *directory, *ending;
	struct partial {
		const char *name;
		struct mustache *template; /* NULL: there is none, or it is broken */
	} found[PARTIALS_MAX];
	size_t n;
	struct error fault; /* the first; code 0 while there is none */
};

static struct mustache *load(const char *path, struct error *err)
{
	struct buf text = {0};
	struct mustache *template = NULL;
	if (template_read_file(path, &text, err))
		template = mustache_parse(buf_text(&text), text.len, path, 1, err);
	buf_free(&text);
	return template;
}

static const struct mustache *find_partial(void *arg, const char *name)
{
	struct partials *partials = arg;
	for (size_t i = 0; i < partials->n; i++)
		if (strcmp(partials->found[i].name, name) == 0)
			return partials->found[i].template;
	/* Only what lies beside the template: a name is no path. */
	if (strchr(name, '/') != NULL || name[0] == '.' || partials->n == PARTIALS_MAX)
		return NULL;
	struct error err = {0};
	const char *path =
	        arena_printf(partials->arena, "%s%s%s", partials->directory, name, partials->ending);
	struct mustache *template = load(path, &err);
	if (template == NULL && err.code != EX_NOINPUT && partials->fault.code == 0)
		partials->fault = err;
	partials->found[partials->n++] =
	        (struct partial){.name = arena_strdup(partials->arena, name), .template = template};
	return template;
}

static json_t *load_data(const char *path, struct error *err)
{
	char block[8192];
	size_t n;
	struct buf text = {0};
	json_t *data = NULL;
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		(void)error_set(err, errno == ENOENT ? EX_NOINPUT : EX_IOERR, "%s: %s", path,
		                strerror(errno));
		return NULL;
	}
	while (text.len <= DATA_MAX && (n = fread(block, 1, sizeof block, file)) > 0)
		buf_add(&text, block, n);
	if (ferror(file))
		(void)error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
	else if (text.len > DATA_MAX)
		(void)error_set(err, EX_DATAERR, "%s: the data is longer than 16 MiB", path);
	else if ((data = jsontext_read(buf_text(&text), text.len, err)) == NULL)
		(void)error_prefix(err, "%s", path);
	(void)fclose(file);
	buf_free(&text);
	return data;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static bool render(const struct mustache *template, json_t *data, bool html, struct partials *partials,
                   struct buf *ret, struct error *err)
{
	static const struct mustache_helper helpers[] = {{.name = "date", .call = dates_helper}};
	const json_t *customer = json_object_get(data, "customer");
	struct dates *dates = dates_new();
	struct dates_reader reader = {.dates = dates,
	                              .locale = text_of(customer, "locale"),
	                              .timezone = text_of(customer, "timezone")};
	const struct mustache_options options = {
	        .escape = html,
	        .partial = find_partial,
	        .partial_arg = partials,
	        .helpers = helpers,
	        .n_helpers = json_object_get(data, "date") == NULL ? 1 : 0,
	        .helper_arg = &reader,
	};
	size_t len = ret->len;
	bool ok = mustache_render(template, data, &options, ret, err);
	dates_free(dates);
	if (ok && partials->fault.code != 0) {
		ok = false;
		if (err != NULL)
			*err = partials->fault;
	}
	if (!ok && ret->data != NULL)
		ret->data[ret->len = len] = '\0';
	return ok;
}

bool template_print(const char *file, const char *data_file, bool html, struct buf *ret, struct error *err)
{
	struct partials partials = {.arena = arena_new(), .ending = html ? ".html" : ".txt"};
	const char *slash = strrchr(file, '/');
	json_t *data = NULL;
	bool ok = false;

	partials.directory =
	        arena_strndup(partials.arena, file, slash != NULL ? (size_t)(slash - file) + 1 : 0);
	struct mustache *template = load(file, err);
	if (template == NULL)
		goto out;
	data = load_data(data_file, err);
	if (data == NULL)
		goto out;
	context_complete(data);
	ok = render(template, data, html, &partials, ret, err);
out:
	json_decref(data);
	mustache_free(template);
	for (size_t i = 0; i < partials.n; i++)
		mustache_free(partials.found[i].template);
	arena_free(partials.arena);
	return ok;
}
