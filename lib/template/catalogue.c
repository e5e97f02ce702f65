/* SPDX-License-Identifier: MIT */
/* Reads catalogues of phrases and finds phrases in them. A bad line costs that line alone. */
#include "template/catalogue.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_CHARS "abcdefghijklmnopqrstuvwxyz0123456789._-"

struct reader {
	struct arena *arena;
	struct catalogue *catalogue;
	size_t cap;
	int line;
	catalogue_fault *fault;
	void *arg;
};

static const char *report(const struct reader *reader, const char *text)
{
	if (reader->fault != NULL)
		reader->fault(reader->arg, text);
	return text;
}

static void report_line(const struct reader *reader, const char *text)
{
	report(reader, arena_printf(reader->arena, "%s:%d: %s", reader->catalogue->file,
	                            reader->line, text));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Moves both ends of a text inward over blanks. */
static void trim(const char **text, const char **end)
{
	while (*text < *end && is_blank(**text))
		(*text)++;
	while (*end > *text && is_blank((*end)[-1]))
		(*end)--;
}

static const struct phrase *find_earlier(const struct catalogue *catalogue, const char *key)
{
	for (size_t i = 0; i < catalogue->n_phrases; i++)
		if (strcmp(catalogue->phrases[i].key, key) == 0)
			return &catalogue->phrases[i];
	return NULL;
}

static void add_phrase(struct reader *reader, const char *key, const char *text, size_t len)
{
	struct catalogue *catalogue = reader->catalogue;
	const struct phrase *earlier = find_earlier(catalogue, key);
	struct error err = {0};

	if (earlier != NULL) {
		report_line(reader, arena_printf(reader->arena, "\"%s\" is already on line %d", key,
		                                 earlier->line));
		return;
	}
	struct phrase phrase = {.key = key, .line = reader->line};
	phrase.text =
	        mustache_parse_in(reader->arena, text, len, catalogue->file, reader->line, &err);
	if (phrase.text == NULL)
		phrase.fault = report(reader, arena_strdup(reader->arena, err.text));
	catalogue->phrases = arena_grow(reader->arena, catalogue->phrases, catalogue->n_phrases,
	                                &reader->cap, sizeof phrase);
	catalogue->phrases[catalogue->n_phrases++] = phrase;
}

static void read_line(struct reader *reader, const char *line, const char *end)
{
	trim(&line, &end);
	if (line == end || *line == '#' || *line == ';')
		return;
	if (!utf8_valid(line, (size_t)(end - line)) ||
	    memchr(line, '\0', (size_t)(end - line)) != NULL) {
		report_line(reader, "this is not UTF-8 text");
		return;
	}
	const char *equals = memchr(line, '=', (size_t)(end - line));
	const char *key_end = equals ? equals : line, *text = equals ? equals + 1 : end;
	trim(&line, &key_end);
	const char *key = arena_strndup(reader->arena, line, (size_t)(key_end - line));
	if (*key == '\0' || key[strspn(key, KEY_CHARS)] != '\0') {
		report_line(reader, "expected \"key = phrase\" or a comment");
		return;
	}
	trim(&text, &end);
	if (end - text >= 2 && *text == '"' && end[-1] == '"') {
		text++;
		end--;
	}
	add_phrase(reader, key, text, (size_t)(end - text));
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct phrase *)a)->key, ((const struct phrase *)b)->key);
}

struct catalogue *catalogue_parse(struct arena *arena, const char *text, size_t len,
                                  const char *file, catalogue_fault *fault, void *arg)
{
	struct catalogue *catalogue = arena_alloc(arena, sizeof *catalogue);
	struct reader reader = {.arena = arena, .catalogue = catalogue, .fault = fault, .arg = arg};
	const char *end = text + len;

	catalogue->file = arena_strdup(arena, file);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		reader.line++;
		read_line(&reader, text, nl ? nl : end);
		text = nl ? nl + 1 : end;
	}
	if (catalogue->n_phrases > 0)
		qsort(catalogue->phrases, catalogue->n_phrases, sizeof(struct phrase), compare);
	return catalogue;
}

const struct phrase *catalogue_find(const struct catalogue *catalogue, const char *key)
{
	const struct phrase wanted = {.key = key};
	if (catalogue == NULL || catalogue->n_phrases == 0)
		return NULL;
	return bsearch(&wanted, catalogue->phrases, catalogue->n_phrases, sizeof wanted, compare);
}

const char *catalogue_key(const char *name)
{
	static const char space[] = "phrase.";
	size_t len = sizeof space - 1;
	return strncmp(name, space, len) == 0 ? name + len : NULL;
}
