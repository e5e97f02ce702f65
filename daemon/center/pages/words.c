/* SPDX-License-Identifier: MIT */
/* The languages that are built in, the choice among them, and phrases by their keys. */
#include "center/pages/words.h"

#include "center/http/accept_language.h"
#include "center/pages/assets.h"
#include "template/catalogue.h"

#include <glib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { LANGUAGES_MAX = 32 };

struct language {
	const char *code; /* "de" */
	const char *name; /* "Deutsch" */
	const struct catalogue *phrases;
};

/* English is the first. */
static struct arena *arena;
static struct language languages[LANGUAGES_MAX];
static size_t n_languages;

/* -- reading ----------------------------------------------------------------------------------- */

static void keep_first(void *arg, const char *text)
{
	struct error *err = arg;
	if (err->code == 0)
		(void)error_set(err, EX_SOFTWARE, "%s", text);
}

/* A phrase rendered with values; NULL for none. */
static const char *rendered(struct arena *into, const struct mustache *phrase, json_t *values)
{
	static const struct mustache_options options;
	struct buf out = {0};
	struct error ignored;
	(void)!mustache_render(phrase, values, &options, &out, &ignored);
	const char *text = arena_strdup(into, buf_text(&out));
	buf_free(&out);
	json_decref(values);
	return text;
}

static bool read_language(const struct page_file *file, struct language *ret, struct error *err)
{
	const char *dot = strrchr(file->name, '.');
	struct error fault = {0};
	const struct catalogue *phrases = catalogue_parse(arena, file->text, strlen(file->text),
	                                                  file->name, keep_first, &fault);
	const struct phrase *name = catalogue_find(phrases, "language");
	if (fault.code != 0)
		return error_set(err, fault.code, "%s", fault.text);
	if (dot == NULL || name == NULL)
		return error_set(err, EX_SOFTWARE, "%s: no language", file->name);
	*ret = (struct language){
	        .code = arena_strndup(arena, file->name, (size_t)(dot - file->name)),
	        .name = rendered(arena, name->text, json_object()),
	        .phrases = phrases};
	return true;
}

bool words_prepare(struct error *err)
{
	arena = arena_new();
	n_languages = 1;
	for (size_t i = 0; i < n_word_files && n_languages < LANGUAGES_MAX; i++) {
		bool english = strcmp(word_files[i].name, "en.ini") == 0;
		size_t at = english ? 0 : n_languages++;
		if (!read_language(&word_files[i], &languages[at], err))
			return false;
	}
	return true;
}

void words_free(void)
{
	arena = arena_free(arena);
	n_languages = 0;
}

/* -- choosing ---------------------------------------------------------------------------------- */

static const struct language *language_find(const char *code)
{
	for (size_t i = 0; i < n_languages; i++)
		if (strcmp(languages[i].code, code) == 0)
			return &languages[i];
	return NULL;
}

/* Several headers are one list (RFC 9110, section 5.2). */
static const char *accepted(const struct request *request)
{
	const char *text = "";
	for (size_t i = 0; i < request->headers.n; i++)
		if (strcasecmp(request->headers.rows[i].name, "Accept-Language") == 0)
			text = arena_printf(request->arena, "%s,%s", text,
			                    request->headers.rows[i].value);
	return text;
}

void words_choose(struct call *call)
{
	const char *codes[LANGUAGES_MAX];
	call->language = call->known ? language_find(call->account.language) : NULL;
	if (call->language)
		return;
	for (size_t i = 0; i < n_languages; i++)
		codes[i] = languages[i].code;
	call->language = &languages[accept_language(accepted(call->request), codes, n_languages)];
}

void words_choose_locale(struct call *call, const char *locale)
{
	size_t len = strcspn(locale, "-_");
	for (size_t i = 0; i < n_languages && len > 0; i++)
		if (strlen(languages[i].code) == len &&
		    strncasecmp(languages[i].code, locale, len) == 0)
			call->language = &languages[i];
}

const char *words_language(const struct call *call)
{
	return call->language ? call->language->code : languages[0].code;
}

bool words_has_language(const char *code)
{
	return language_find(code) != NULL;
}

json_t *words_languages(const char *chosen)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < n_languages; i++)
		json_array_append_new(rows, json_pack("{s:s, s:s, s:b}", "value", languages[i].code,
		                                      "name", languages[i].name, "selected",
		                                      strcmp(languages[i].code, chosen) == 0));
	return rows;
}

/* -- phrases ----------------------------------------------------------------------------------- */

const struct mustache *words_template(const struct call *call, const char *key)
{
	const struct phrase *phrase =
	        call->language ? catalogue_find(call->language->phrases, key) : NULL;
	if (phrase == NULL)
		phrase = catalogue_find(languages[0].phrases, key);
	return phrase ? phrase->text : NULL;
}

const char *words_fill(const struct call *call, const char *key, json_t *values)
{
	const struct mustache *phrase = words_template(call, key);
	if (phrase)
		return rendered(call->request->arena, phrase, values);
	json_decref(values);
	return arena_strdup(call->request->arena, key);
}

const char *words(const struct call *call, const char *key)
{
	return words_fill(call, key, json_object());
}

const char *words_count(const struct call *call, const char *key, int64_t n)
{
	const char *whole =
	        arena_printf(call->request->arena, "%s.%s", key, n == 1 ? "one" : "many");
	return words_fill(call, whole, json_pack("{s:I}", "n", (json_int_t)n));
}

const char *words_find(const struct call *call, const char *space, const char *name)
{
	const char *key = arena_printf(call->request->arena, "%s.%s", space, name);
	return words_template(call, key) ? words(call, key) : NULL;
}

const char *words_done(const struct call *call, const struct words_done *rows, size_t n)
{
	const char *text = "";
	for (size_t i = 0; i < n; i++) {
		const char *count = request_value(&call->request->query, rows[i].name);
		if (count)
			text = arena_printf(
			        call->request->arena, "%s%s%s", text, *text ? " " : "",
			        words_count(call, rows[i].key, strtoll(count, NULL, 10)));
	}
	return text;
}

const char *words_fixed(const struct call *call, const char *name)
{
	const char *found = words_find(call, "word", name);
	return found ? found : arena_strdup(call->request->arena, name);
}

const char *words_kind(const struct call *call, const struct kind *kind)
{
	const char *found = words_find(call, "kind", kind->name);
	return found ? found : kind->name;
}

const char *words_kinds(const struct call *call, const struct kind *kind)
{
	const char *found = words_find(call, "kinds", kind->name);
	return found ? found : kind->many;
}

const char *words_capital(const struct call *call, const char *text)
{
	char first[6];
	if (*text == '\0')
		return text;
	int n = g_unichar_to_utf8(g_unichar_toupper(g_utf8_get_char(text)), first);
	return arena_printf(call->request->arena, "%.*s%s", n, first, g_utf8_next_char(text));
}
