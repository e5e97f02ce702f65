/* SPDX-License-Identifier: MIT */
/*
 * Text from outside is checked here once, where it comes in; everything behind it may rely on it.
 * Own code, since GLib's check lets NUL end the text and ICU wants UTF-16.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The well-formed sequences of RFC 3629, section 4: the first byte, the range of the second. */
static const struct lead {
	unsigned char first, last;
	unsigned char len;
	unsigned char low,
	        high; /* of the second byte: this is what keeps out overlongs and surrogates */
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

size_t utf8_length(const char *text, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xC0) != 0x80;
	return n;
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

/* -- fit for a terminal ------------------------------------------------------------------------ */

/* Characters that nobody sees. U+200C and U+200D stay: Persian and Indic words need them, and
 * emoji. */
static const struct {
	uint32_t first, last;
} unseen[] = {
        {.first = 0x061C, .last = 0x061C},   {.first = 0x180E, .last = 0x180E},
        {.first = 0x200B, .last = 0x200B},   {.first = 0x200E, .last = 0x200F},
        {.first = 0x2028, .last = 0x202E},   {.first = 0x2060, .last = 0x206F},
        {.first = 0xFEFF, .last = 0xFEFF},   {.first = 0xFFF9, .last = 0xFFFB},
        {.first = 0xE0000, .last = 0xE007F},
};

static uint32_t code_point(const unsigned char *s, size_t n)
{
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3Fu);
	return c;
}

static bool is_unseen(uint32_t c)
{
	for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++)
		if (c >= unseen[i].first && c <= unseen[i].last)
			return true;
	return false;
}

size_t utf8_show_char(const char *text, size_t left, char shown[UTF8_SHOWN_MAX])
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = char_len(s, left);
	uint32_t c = n > 0 ? code_point(s, n) : s[0];
	shown[0] = '\0';
	if (n == 0 || (n == 1 && is_control(s, 1)))
		(void)snprintf(shown, UTF8_SHOWN_MAX, "\\x%02x", (unsigned)c);
	else if ((n == 2 && is_control(s, 2)) || is_unseen(c))
		(void)snprintf(shown, UTF8_SHOWN_MAX, c > 0xFFFF ? "\\U%08x" : "\\u%04x",
		               (unsigned)c);
	return n > 0 ? n : 1;
}

/* How many bytes from here on are printable ASCII: most are. */
static size_t count_plain(const char *text)
{
	size_t n = 0;
	while (text[n] >= ' ' && text[n] < 0x7f)
		n++;
	return n;
}

const char *utf8_show(const char *text, char *to, size_t size)
{
	size_t len = strlen(text), out = 0;
	char shown[UTF8_SHOWN_MAX];
	for (size_t i = 0, n; i < len; i += n) {
		n = count_plain(text + i);
		if (n > 0) {
			size_t room = size - 1 - out;
			memcpy(to + out, text + i, n < room ? n : room);
			out += n < room ? n : room;
			if (n > room)
				break;
			continue;
		}
		n = utf8_show_char(text + i, len - i, shown);
		const char *from = *shown ? shown : text + i;
		size_t more = *shown ? strlen(shown) : n;
		if (out + more >= size)
			break;
		memcpy(to + out, from, more);
		out += more;
	}
	to[out] = '\0';
	return to;
}
