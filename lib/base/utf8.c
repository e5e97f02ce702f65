/* SPDX-License-Identifier: MIT */
/*
 * Text from outside is checked here once, where it comes in; everything behind it may rely on it.
 * Own code, since GLib's check lets NUL end the text and ICU wants UTF-16.
 */
#include "base/utf8.h"

#include <string.h>

/* The well-formed sequences of RFC 3629, section 4: the first byte, the range of the second. */
static const struct lead {
	unsigned char first, last;
	unsigned char len;
	unsigned char low, high; /* of the second byte: this is what keeps out overlongs and surrogates */
} leads[] = {
        {.first = 0xC2, .last = 0xDF, .len = 2, .low = 0x80, .high = 0xBF},
        {.first = 0xE0, .last = 0xE0, .len = 3, .low = 0xA0, .high = 0xBF},
        {.first = 0xE1, .last = 0xEC, .len = 3, .low = 0x80, .high = 0xBF},
        {.first = 0xED, .last = 0xED, .len = 3, .low = 0x80, .high = 0x9F},
        {.first = 0xEE, .last = 0xEF, .len = 3, .low = 0x80, .high = 0xBF},
        {.first = 0xF0, .last = 0xF0, .len = 4, .low = 0x90, .high = 0xBF},
        {.first = 0xF1, .last = 0xF3, .len = 4, .low = 0x80, .high = 0xBF},
        {.first = 0xF4, .last = 0xF4, .len = 4, .low = 0x80, .high = 0x8F},
};

static bool sequence_follows(const unsigned char *s, size_t left, const struct lead *lead)
{
	if (left < lead->len || s[1] < lead->low || s[1] > lead->high)
		return false;
	for (size_t i = 2; i < lead->len; i++)
		if ((s[i] & 0xC0) != 0x80)
			return false;
	return true;
}

/* Bytes of the character that begins at `s`; 0 where none does. */
static size_t char_len(const unsigned char *s, size_t left)
{
	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
		if (s[0] >= leads[i].first && s[0] <= leads[i].last)
			return sequence_follows(s, left, &leads[i]) ? leads[i].len : 0;
	return 0;
}

bool utf8_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	for (size_t i = 0, n; i < len; i += n) {
		n = char_len(s + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

static bool is_control(const unsigned char *s, size_t n)
{
	return s[0] < 0x20 || s[0] == 0x7F || (n == 2 && s[0] == 0xC2 && s[1] < 0xA0);
}

bool utf8_has_control(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	for (size_t i = 0; i < len; i++)
		if (is_control(s + i, len - i > 1 ? 2 : 1))
			return true;
	return false;
}

const char *utf8_quote(const char *text, size_t len, char quote[UTF8_QUOTE_MAX])
{
	static const char more[] = "…";
	const unsigned char *s = (const unsigned char *)text;
	size_t out = 0;
	for (size_t i = 0, n; i < len; i += n) {
		n = char_len(s + i, len - i);
		bool bad = n == 0 || is_control(s + i, n);
		if (n == 0)
			n = 1;
		if (out + n + sizeof more > UTF8_QUOTE_MAX) {
			memcpy(quote + out, more, sizeof more);
			return quote;
		}
		if (bad)
			quote[out++] = '?';
		else {
			memcpy(quote + out, s + i, n);
			out += n;
		}
	}
	quote[out] = '\0';
	return quote;
}
