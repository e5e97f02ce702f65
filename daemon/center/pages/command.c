/* SPDX-License-Identifier: MIT */
/* Commands that do what pages do, each word quoted as a shell needs it. */
#include "center/pages/command.h"

#include <stdarg.h>
#include <string.h>

/* All between single quotes is as it is (POSIX, Shell Command Language, 2.2.2). */
static void add_word(struct buf *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "-_./:@%+=,";
	buf_addc(line, ' ');
	if (*word != '\0' && strspn(word, plain) == strlen(word)) {
		buf_adds(line, word);
		return;
	}
	buf_addc(line, '\'');
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '\'')
			buf_adds(line, "'\\''");
		else
			buf_addc(line, *c);
	}
	buf_addc(line, '\'');
}

static const char *take_line(const struct call *call, struct buf *line)
{
	const char *text = arena_strdup(call->request->arena, buf_text(line));
	buf_free(line);
	return text;
}

const char *command_of(const struct call *call, const char *const *words, size_t n)
{
	struct buf line = {0};
	buf_adds(&line, "dispatchctl");
	for (size_t i = 0; i < n; i++)
		add_word(&line, words[i]);
	return take_line(call, &line);
}

const char *command_text(const struct call *call, ...)
{
	enum { WORDS_MAX = 16 };
	const char *words[WORDS_MAX], *word;
	size_t n = 0;
	va_list rest;
	va_start(rest, call);
	while ((word = va_arg(rest, const char *)) != NULL && n < WORDS_MAX)
		words[n++] = word;
	va_end(rest);
	return command_of(call, words, n);
}

enum { NOUN_AND_VERB = 2 };

static bool has_dash(const json_t *words)
{
	bool any = false;
	for (size_t i = NOUN_AND_VERB; i < json_array_size(words); i++)
		any = any || *json_string_value(json_array_get(words, i)) == '-';
	return any;
}

static void add_words(struct buf *line, const json_t *words, size_t from, size_t until)
{
	for (size_t i = from; i < json_array_size(words) && i < until; i++)
		add_word(line, json_string_value(json_array_get(words, i)));
}

const char *command_line(const struct call *call, json_t *words, json_t *options)
{
	struct buf line = {0};
	const char *noun = json_string_value(json_array_get(words, 0));
	bool behind = has_dash(words);
	buf_adds(&line, noun && strcmp(noun, "user") == 0 ? "dispatch-center" : "dispatchctl");
	add_words(&line, words, 0, behind ? NOUN_AND_VERB : SIZE_MAX);
	add_words(&line, options, 0, SIZE_MAX);
	if (behind)
		buf_adds(&line, " --");
	add_words(&line, words, NOUN_AND_VERB, behind ? SIZE_MAX : 0);
	json_decref(words);
	json_decref(options);
	return take_line(call, &line);
}

const char *command_option(const struct call *call, const char *field)
{
	char *text = arena_printf(call->request->arena, "--%s", field);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '_')
			*c = '-';
	return text;
}

void command_add(const struct call *call, json_t *commands, json_t *words, json_t *options)
{
	json_array_append_new(commands, json_string(command_line(call, words, options)));
}

json_t *command_fold(const char *command, ...)
{
	json_t *commands = json_array();
	va_list rest;
	va_start(rest, command);
	for (const char *one = command; one; one = va_arg(rest, const char *))
		json_array_append_new(commands, json_string(one));
	va_end(rest);
	return json_pack("{s:o}", "commands", commands);
}
