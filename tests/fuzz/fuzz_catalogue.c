/* SPDX-License-Identifier: MIT */
/*
 * Input: a catalogue of phrases. Each fault is one printable line that names the file and a line of
 * it. Every phrase is found by its key, once; it has a text or a fault, and its text renders,
 * within the limits, with phrases that name each other.
 */
#include "base/utf8.h"
#include "template/catalogue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_LIMIT = 100000 };

struct faults {
	size_t n;
	long lines;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void on_fault(void *arg, const char *text)
{
	struct faults *faults = arg;
	char *end = NULL;
	faults->n++;
	must(strncmp(text, "de.ini:", 7) == 0);
	long line = strtol(text + 7, &end, 10);
	must(line >= 1 && line <= faults->lines && strncmp(end, ": ", 2) == 0 && end[2] != '\0');
	must(utf8_valid(text, strlen(text)) && !utf8_has_control(text, strlen(text)));
}

static const struct mustache *lambda(void *arg, const char *name)
{
	const char *key = catalogue_key(name);
	const struct phrase *phrase = key ? catalogue_find(arg, key) : NULL;
	return phrase ? phrase->text : NULL;
}

static void helper(void *arg, const char *text, struct buf *ret)
{
	(void)arg;
	buf_printf(ret, "[%s]", text);
}

static void render(struct catalogue *catalogue, const struct phrase *phrase, json_t *context)
{
	static const struct mustache_helper helpers[] = {{.name = "date", .call = helper}};
	struct buf out = {0};
	struct error err = {0};
	const struct mustache_options options = {.escape = true,
	                                         .lambda = lambda,
	                                         .lambda_arg = catalogue,
	                                         .helpers = helpers,
	                                         .n_helpers = 1,
	                                         .max_size = SIZE_LIMIT};
	if (mustache_render(phrase->text, context, &options, &out, &err))
		must(out.len <= SIZE_LIMIT);
	else
		must(err.code != 0 && err.text[0] != '\0');
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct faults faults = {.lines = 1};
	json_t *context = json_pack("{s:{s:s},s:[i,i]}", "job", "id", "4711", "jobs", 1, 2);
	size_t broken = 0;
	for (size_t i = 0; i < size; i++)
		faults.lines += data[i] == '\n';
	struct catalogue *catalogue =
	        catalogue_parse(arena, (const char *)data, size, "de.ini", on_fault, &faults);
	for (size_t i = 0; i < catalogue->n_phrases; i++) {
		const struct phrase *phrase = &catalogue->phrases[i];
		must(i == 0 || strcmp(phrase[-1].key, phrase->key) < 0);
		must(catalogue_find(catalogue, phrase->key) == phrase);
		must((phrase->text == NULL) == (phrase->fault != NULL));
		must(phrase->line >= 1 && phrase->line <= faults.lines);
		broken += phrase->fault != NULL;
		if (phrase->text != NULL)
			render(catalogue, phrase, context);
	}
	must(broken <= faults.n && catalogue_find(catalogue, "no.such_phrase!") == NULL);
	json_decref(context);
	(void)arena_free(arena);
	return 0;
}
