/* SPDX-License-Identifier: MIT */
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

const char *command_of(const struct call *call, const char *const *words, size_t n)
{
	struct buf line = {0};
	buf_adds(&line, "dispatchctl");
	for (size_t i = 0; i < n; i++)
		add_word(&line, words[i]);
	const char *text = arena_strdup(call->request->arena, buf_text(&line));
	buf_free(&line);
	return text;
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
