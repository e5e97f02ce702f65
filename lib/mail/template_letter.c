/* SPDX-License-Identifier: MIT */
/* Cuts a letter's .txt into its headers and its body. */
#include "mail/templates_set.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

const char *const template_letter_names[TEMPLATE_LETTERS] = {
        "dispatched", "started", "completed", "failed", "paused", "cancelled", "collision",
};

int template_letter_index(const char *name, size_t len)
{
	for (int i = 0; i < TEMPLATE_LETTERS; i++)
		if (strlen(template_letter_names[i]) == len &&
		    strncmp(template_letter_names[i], name, len) == 0)
			return i;
	return -1;
}

/* The known header lines. */
static const struct header {
	const char *name;
	size_t offset; /* of its template in a letter */
} headers[] = {
        {.name = "Subject:", .offset = offsetof(struct template_letter, subject)},
        {.name = "Reply-To:", .offset = offsetof(struct template_letter, reply_to)},
};

static bool parse_header(const char *line, size_t len, const char *file, int number,
                         struct template_letter *letter, struct error *err)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		size_t name = strlen(headers[i].name);
		if (len < name || strncasecmp(line, headers[i].name, name) != 0)
			continue;
		struct mustache **slot = (struct mustache **)(void *)((char *)letter + headers[i].offset);
		if (*slot != NULL)
			return error_set(err, EX_DATAERR, "%s:%d: a second %s", file, number,
			                 headers[i].name);
		*slot = mustache_parse(line + name, len - name, file, number, err);
		return *slot != NULL;
	}
	return error_set(err, EX_DATAERR,
	                 "%s:%d: expected Subject: or Reply-To:, then an empty line and the text", file,
	                 number);
}

/* Behind a byte order mark and comments that stand before the headers. */
static const char *skip_preface(const char *p, const char *end, int *line)
{
	if (end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (end - p >= 3 && memcmp(p, "{{!", 3) == 0) {
		const char *close = memmem(p, (size_t)(end - p), "}}", 2);
		const char *nl = close ? memchr(close, '\n', (size_t)(end - close)) : NULL;
		if (nl == NULL)
			break;
		for (; p <= nl; p++)
			*line += *p == '\n';
	}
	return p;
}

static bool parse_letter(const char *text, size_t len, const char *file, struct template_letter *letter,
                         struct error *err)
{
	int line = 1;
	const char *end = text + len, *p = skip_preface(text, end, &line);
	for (;; line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		if (stop > p && stop[-1] == '\r')
			stop--;
		if (stop == p && nl != NULL) {
			p = nl + 1;
			break;
		}
		if (nl == NULL || !parse_header(p, (size_t)(stop - p), file, line, letter, err))
			return nl != NULL
			               ? false
			               : error_set(err, EX_DATAERR,
			                           "%s:%d: expected an empty line and the text", file, line);
		p = nl + 1;
	}
	if (letter->subject == NULL)
		return error_set(err, EX_DATAERR, "%s:%d: there is no Subject: above the text", file, line);
	letter->text = mustache_parse(p, (size_t)(end - p), file, line + 1, err);
	return letter->text != NULL;
}

void template_letter_clear(struct template_letter *letter)
{
	letter->subject = mustache_free(letter->subject);
	letter->reply_to = mustache_free(letter->reply_to);
	letter->text = mustache_free(letter->text);
	letter->html = mustache_free(letter->html);
}

bool template_letter_parse(const char *text, size_t len, const char *file, struct template_letter *letter,
                           struct error *err)
{
	struct template_letter parsed = {.present = true};
	if (!parse_letter(text, len, file, &parsed, err)) {
		template_letter_clear(&parsed);
		return false;
	}
	letter->present = true;
	letter->subject = parsed.subject;
	letter->reply_to = parsed.reply_to;
	letter->text = parsed.text;
	return true;
}
