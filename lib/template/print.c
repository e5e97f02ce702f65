/* SPDX-License-Identifier: MIT */
/* Renders a template from a file with data from a file, so that admins can try out templates. */
#include "template/print.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "template/catalogue.h"
#include "template/dates.h"
#include "template/file.h"
#include "template/helpers.h"
#include "template/mustache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { DATA_MAX = 16 * 1024 * 1024, PARTIALS_MAX = 256, CATALOGUES_MAX = 16, HELPERS_MAX = 8 };

/* Partials and catalogues are read when they are first needed. */
struct printer {
	struct arena *arena;
	const char *directory, *ending;
	const char *locale; /* the reader's */
	struct partial {
		const char *name;
		struct mustache *template; /* NULL if missing or broken */
	} partials[PARTIALS_MAX];
	size_t n_partials;
	const struct catalogue
	        *catalogues[CATALOGUES_MAX]; /* the first that has a phrase gives it */
	size_t n_catalogues;
	bool has_catalogues;
	struct error fault; /* the first; code 0 if none so far */
};

static struct mustache *load_template(const char *path, struct error *err)
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
	struct printer *printer = arg;
	for (size_t i = 0; i < printer->n_partials; i++)
		if (strcmp(printer->partials[i].name, name) == 0)
			return printer->partials[i].template;
	/* Only files beside the template: a name isn't a path. */
	if (strchr(name, '/') != NULL || name[0] == '.' || printer->n_partials == PARTIALS_MAX)
		return NULL;
	struct error err = {0};
	const char *path =
	        arena_printf(printer->arena, "%s%s%s", printer->directory, name, printer->ending);
	struct mustache *template = load_template(path, &err);
	if (template == NULL && err.code != EX_NOINPUT && printer->fault.code == 0)
		printer->fault = err;
	printer->partials[printer->n_partials++] =
	        (struct partial){.name = arena_strdup(printer->arena, name), .template = template};
	return template;
}

static void load_catalogue(struct printer *printer, const char *above, const char *locale,
                           size_t len)
{
	struct buf text = {0};
	struct error err = {0};
	const char *path = arena_printf(printer->arena, "%s%s%.*s.ini", printer->directory, above,
	                                (int)len, locale);
	if (printer->n_catalogues == CATALOGUES_MAX)
		return;
	if (template_read_bytes(path, &text, &err))
		printer->catalogues[printer->n_catalogues++] = catalogue_parse(
		        printer->arena, buf_text(&text), text.len, path, NULL, NULL);
	else if (err.code != EX_NOINPUT && printer->fault.code == 0)
		printer->fault = err;
	buf_free(&text);
}

static void load_catalogues(struct printer *printer)
{
	static const char *const places[] = {"", "../"};
	const char *locale = printer->locale;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		/* A locale isn't a path. */
		size_t len = strchr(locale, '/') != NULL || *locale == '.' ? 0 : strlen(locale);
		while (len > 0) {
			load_catalogue(printer, places[i], locale, len);
			while (len > 0 && locale[len - 1] != '-' && locale[len - 1] != '_')
				len--;
			len -= len > 0;
		}
		load_catalogue(printer, places[i], "en", 2);
	}
	printer->has_catalogues = true;
}

static const struct mustache *find_phrase(void *arg, const char *name)
{
	struct printer *printer = arg;
	const char *key = catalogue_key(name);
	const struct phrase *phrase = NULL;
	if (key == NULL)
		return NULL;
	if (!printer->has_catalogues)
		load_catalogues(printer);
	for (size_t i = 0; i < printer->n_catalogues && phrase == NULL; i++)
		phrase = catalogue_find(printer->catalogues[i], key);
	if (phrase != NULL && phrase->fault != NULL && printer->fault.code == 0)
		(void)error_set(&printer->fault, EX_DATAERR, "%s", phrase->fault);
	return phrase != NULL ? phrase->text : NULL;
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

static const char *member_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* The helpers whose names the data doesn't have: it may be for no mail. Returns how many. */
static size_t unshadowed(const json_t *data, struct mustache_helper *ret)
{
	size_t n = 0;
	for (size_t i = 0; i < template_helpers_count && n < HELPERS_MAX; i++)
		if (json_object_get(data, template_helpers[i].name) == NULL)
			ret[n++] = template_helpers[i];
	return n;
}

static bool render(struct printer *printer, const struct mustache *template, json_t *data,
                   bool html, struct buf *ret, struct error *err)
{
	struct mustache_helper helpers[HELPERS_MAX];
	const json_t *customer = json_object_get(data, "customer");
	struct dates *dates = dates_new();
	printer->locale = member_text(customer, "locale");
	struct dates_reader reader = {.dates = dates,
	                              .locale = printer->locale,
	                              .timezone = member_text(customer, "timezone")};
	const struct mustache_options options = {
	        .escape = html,
	        .partial = find_partial,
	        .partial_arg = printer,
	        .lambda = find_phrase,
	        .lambda_arg = printer,
	        .helpers = helpers,
	        .n_helpers = unshadowed(data, helpers),
	        .helper_arg = &reader,
	};
	size_t len = ret->len;
	bool ok = mustache_render(template, data, &options, ret, err);
	dates_free(dates);
	if (ok && printer->fault.code != 0) {
		ok = false;
		if (err != NULL)
			*err = printer->fault;
	}
	if (!ok && ret->data != NULL)
		ret->data[ret->len = len] = '\0';
	return ok;
}

bool template_print(const struct template_print *print, struct buf *ret, struct error *err)
{
	struct printer printer = {.arena = arena_new(), .ending = print->html ? ".html" : ".txt"};
	const char *slash = strrchr(print->file, '/');
	size_t directory_len = slash != NULL ? (size_t)(slash - print->file) + 1 : 0;
	json_t *data = NULL;
	bool ok = false;

	printer.directory = arena_strndup(printer.arena, print->file, directory_len);
	struct mustache *template = load_template(print->file, err);
	if (template == NULL)
		goto out;
	data = load_data(print->data_file, err);
	if (data == NULL)
		goto out;
	if (print->complete != NULL)
		print->complete(data);
	ok = render(&printer, template, data, print->html, ret, err);
out:
	json_decref(data);
	mustache_free(template);
	for (size_t i = 0; i < printer.n_partials; i++)
		mustache_free(printer.partials[i].template);
	arena_free(printer.arena);
	return ok;
}
