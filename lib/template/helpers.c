/* SPDX-License-Identifier: MIT */
/*
 * What Mustache can't do and the mails need: a subject that fits beside others in a list, a number
 * that a phone can dial, a website that opens. All that a helper gets may come from anybody's data;
 * what it makes is escaped like a value.
 */
#include "template/helpers.h"

#include "base/utf8.h"
#include "template/dates.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	SHORTEN_MOST = 1000,  /* characters */
	DIALED_LEAST = 3,     /* digits */
	BEFORE_EXTENSION = 7, /* digits of a number that may have one */
	SCHEME_LONGEST = 30,  /* what stands before a website's colon */
};

#define ELLIPSIS "\xe2\x80\xa6"

const struct mustache_helper template_helpers[] = {
        {.name = "date", .call = dates_helper},
        {.name = "shorten", .call = shorten_helper},
        {.name = "dial", .call = dial_helper},
        {.name = "weblink", .call = weblink_helper},
};
const size_t template_helpers_count = sizeof template_helpers / sizeof *template_helpers;

bool template_helper_is(const char *name)
{
	for (size_t i = 0; i < template_helpers_count; i++)
		if (strcmp(template_helpers[i].name, name) == 0)
			return true;
	return false;
}

/* ---- shorten */

/* Whether a reader takes this character for a part of the one before it: accents, joiners, colors
 * of skin. */
static bool continues(gunichar c)
{
	enum { SKIN_FIRST = 0x1F3FB, SKIN_LAST = 0x1F3FF };
	return g_unichar_ismark(c) || g_unichar_iszerowidth(c) ||
	       (c >= SKIN_FIRST && c <= SKIN_LAST);
}

/* Where `text` may be cut so that at most `n` characters are before: none is torn apart. */
static size_t cut_between_characters(const char *text, size_t len, size_t n)
{
	enum { JOINER = 0x200D };
	size_t cut = 0, at = 0;
	gunichar before = 0;
	for (size_t seen = 0; at < len && seen <= n; seen++) {
		gunichar c = g_utf8_get_char_validated(text + at, (gssize)(len - at));
		if (!continues(c) && before != JOINER)
			cut = at;
		before = c;
		at += c >= G_MAXINT ? 1 : (size_t)g_unichar_to_utf8(c, NULL);
	}
	return cut;
}

/* Where the last word before `cut` begins, without what would hang in the air there: blanks,
 * commas, an opening bracket. */
static size_t end_of_words(const char *text, size_t cut)
{
	while (cut > 0 && strchr(" ,;:.(-", text[cut - 1]) != NULL)
		cut--;
	return cut;
}

/* Before a bracket that is never closed, where most is before it. */
static size_t end_of_brackets(const char *text, size_t cut)
{
	size_t open = cut;
	while (open > 0 && text[open - 1] != '(' && text[open - 1] != ')')
		open--;
	if (open == 0 || text[open - 1] == ')' || open * 2 < cut)
		return cut;
	return end_of_words(text, open);
}

static size_t cut_between_words(const char *text, size_t cut)
{
	size_t end = cut;
	if (text[cut] == ' ')
		return end_of_words(text, cut);
	while (end > 0 && text[end - 1] != ' ')
		end--;
	end = end_of_words(text, end);
	return end * 3 >= cut * 2 ? end : end_of_words(text, cut);
}

void shorten_helper(void *arg, const char *text, struct buf *ret)
{
	(void)arg;
	const char *bar = strrchr(text, '|');
	char *end = NULL;
	unsigned long n =
	        bar != NULL && bar[1] >= '1' && bar[1] <= '9' ? strtoul(bar + 1, &end, 10) : 0;
	if (n == 0 || *end != '\0' || n > SHORTEN_MOST) {
		buf_adds(ret, text);
		return;
	}
	while (*text == ' ')
		text++;
	size_t len = bar > text ? (size_t)(bar - text) : 0;
	while (len > 0 && text[len - 1] == ' ')
		len--;
	if (utf8_length(text, len) <= n) {
		buf_add(ret, text, len);
		return;
	}
	size_t cut = cut_between_characters(text, len, n - 1);
	buf_add(ret, text, end_of_brackets(text, cut_between_words(text, cut)));
	buf_adds(ret, ELLIPSIS);
}

/* ---- dial */

/* The digit on the key of a capital letter; 0 for what isn't one. */
static char key_of(char c)
{
	static const char keys[] = "22233344455566677778889999";
	return c >= 'A' && c <= 'Z' ? keys[c - 'A'] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Behind "x", "ext", "ext.", "extension" and what is between it and its digits; NULL elsewhere. */
static const char *extension_at(const char *p)
{
	static const char *const words[] = {"extension", "ext", "x"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t len = strlen(words[i]);
		if (strncasecmp(p, words[i], len) != 0)
			continue;
		p += len;
		p += strspn(p, " .:#");
		return is_digit(*p) ? p : NULL;
	}
	return NULL;
}

void dial_helper(void *arg, const char *text, struct buf *ret)
{
	(void)arg;
	struct buf number = {0};
	size_t digits = 0;
	if (text[strspn(text, " (")] == '+')
		buf_addc(&number, '+');
	for (const char *p = text; *p != '\0'; p++) {
		const char *extension = digits >= BEFORE_EXTENSION ? extension_at(p) : NULL;
		if (extension != NULL) {
			buf_adds(&number, ";ext=");
			buf_add(&number, extension, strspn(extension, "0123456789"));
			break;
		}
		char digit = is_digit(*p) ? *p : digits > 0 ? key_of(*p) : 0;
		if (digit != '\0')
			buf_addc(&number, digit);
		digits += digit != '\0';
	}
	if (digits >= DIALED_LEAST)
		buf_add(ret, number.data, number.len);
	buf_free(&number);
}

/* ---- weblink */

/* How long the scheme is that the text begins with (RFC 3986, section 3.1); 0 for none. What has
 * digits behind the colon is a host and its port. */
static size_t scheme_len(const char *text)
{
	size_t n =
	        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
	return n > 0 && n < SCHEME_LONGEST && text[n] == ':' && !is_digit(text[n + 1]) ? n : 0;
}

void weblink_helper(void *arg, const char *text, struct buf *ret)
{
	(void)arg;
	text += strspn(text, " ");
	size_t scheme = scheme_len(text);
	bool web = strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
	if (*text == '\0' || (scheme > 0 && !web))
		return;
	if (!web)
		buf_adds(ret, "https://");
	buf_adds(ret, text);
}
