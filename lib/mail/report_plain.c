/* SPDX-License-Identifier: MIT */
/* Foreign words made plain, and phrases found in them. */
#include "mail/report_plain.h"

#include <ctype.h>
#include <string.h>

enum { GAP_MAX = 60 };

/* "550-5.1.1", "550-": the mark of a line in a reply of several lines (RFC 5321, section 4.2.1). */
static bool is_mark(const char *word, size_t len)
{
	return len >= 4 && isdigit((unsigned char)word[0]) && isdigit((unsigned char)word[1]) &&
	       isdigit((unsigned char)word[2]) && word[3] == '-' &&
	       strspn(word + 4, "0123456789.#") >= len - 4;
}

/* "550", "5.1.1": between the lines of a reply they only part the words. */
static bool is_code(const char *word, size_t len)
{
	return len >= 3 && strspn(word, "0123456789.#()") >= len;
}

static bool counts(const char *word, size_t len)
{
	return memchr(word, '@', len) == NULL && strncmp(word, "http://", 7) != 0 &&
	       strncmp(word, "https://", 8) != 0 && !is_mark(word, len) && !is_code(word, len);
}

/* Capitals of two bytes in UTF-8, and where their small letters begin. */
static const struct capitals {
	unsigned char lead, first, last;
	unsigned char small_lead, small_first;
} capitals[] = {
        {0xC3, 0x80, 0x96, 0xC3, 0xA0}, {0xC3, 0x98, 0x9E, 0xC3, 0xB8}, /* Latin-1 */
        {0xCE, 0x91, 0x9F, 0xCE, 0xB1}, {0xCE, 0xA0, 0xA9, 0xCF, 0x80}, /* Greek */
        {0xD0, 0x90, 0x9F, 0xD0, 0xB0}, {0xD0, 0xA0, 0xAF, 0xD1, 0x80}, /* Russian */
};

/* The letter at `at`, small, to `out`: of ASCII and the rows. How many bytes it took. */
static size_t add_small(char *out, const char *at)
{
	unsigned char lead = (unsigned char)at[0], next = (unsigned char)at[1];
	for (size_t i = 0; i < sizeof capitals / sizeof capitals[0]; i++) {
		const struct capitals *row = &capitals[i];
		if (lead != row->lead || next < row->first || next > row->last)
			continue;
		out[0] = (char)row->small_lead;
		out[1] = (char)(row->small_first + (next - row->first));
		return 2;
	}
	out[0] = lead >= 'A' && lead <= 'Z' ? (char)(lead + ('a' - 'A')) : at[0];
	return 1;
}

char *mail_report_small(struct arena *arena, const char *text)
{
	char *small = arena_strdup(arena, text);
	for (size_t i = 0; small[i];)
		i += add_small(small + i, text + i);
	return small;
}

char *mail_report_plain(struct arena *arena, const char *text)
{
	size_t out = 0;
	char *plain = arena_alloc(arena, strlen(text) + 2);
	for (const char *at = text + strspn(text, " \t\r\n"); *at;) {
		size_t len = strcspn(at, " \t\r\n");
		if (counts(at, len)) {
			if (out)
				plain[out++] = ' ';
			for (size_t i = 0, n; i < len; i += n, out += n)
				n = add_small(plain + out, at + i);
		}
		at += len;
		at += strspn(at, " \t\r\n");
	}
	return plain;
}

/* The rest of a phrase behind a `*`, within its gap. */
static bool rest_in(const char *text, const char *rest)
{
	size_t len = strlen(rest);
	for (int i = 0; i <= GAP_MAX && text[i]; i++)
		if (strncmp(text + i, rest, len) == 0)
			return true;
	return false;
}

bool mail_report_phrase_in(const char *plain, const char *phrase)
{
	const char *star = strchr(phrase, '*');
	if (star == NULL)
		return strstr(plain, phrase) != NULL;
	size_t len = (size_t)(star - phrase);
	for (const char *at = plain; (at = memmem(at, strlen(at), phrase, len)); at++)
		if (rest_in(at + len, star + 1))
			return true;
	return false;
}
