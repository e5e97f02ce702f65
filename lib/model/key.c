/* SPDX-License-Identifier: MIT */
/* Keys as people paste them and as spreadsheets write them; called for each value of a field that
 * is one. */
#include "model/key.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { BRAILLE_BLANK = 0x2800 };

/* -- characters -------------------------------------------------------------------------------- */

static bool is_ascii_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of white space at the front, at most one character; 0 where there is none. */
static size_t space_in_front(const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t i = 0;
	UChar32 c;
	if (bytes[0] < 0x80)
		return is_ascii_space(text[0]) ? 1 : 0;
	U8_NEXT(bytes, i, len, c);
	return c >= 0 && u_isUWhiteSpace(c) ? i : 0;
}

static size_t space_behind(const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	int32_t i = (int32_t)len;
	UChar32 c;
	if (bytes[len - 1] < 0x80)
		return is_ascii_space(text[len - 1]) ? 1 : 0;
	U8_PREV(bytes, 0, i, c);
	return c >= 0 && u_isUWhiteSpace(c) ? len - (size_t)i : 0;
}

void key_trim(const char **text, size_t *len)
{
	size_t n;
	while (*len > 0 && (n = space_behind(*text, *len)) > 0)
		*len -= n;
	while (*len > 0 && (n = space_in_front(*text, *len)) > 0) {
		*text += n;
		*len -= n;
	}
}

static bool is_invisible(UChar32 c)
{
	return c == BRAILLE_BLANK || u_charType(c) == U_FORMAT_CHAR ||
	       u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

static bool is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;
	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

bool key_invisible(const char *text, size_t len, unsigned *ret)
{
	const uint8_t *bytes = (const uint8_t *)text;
	if (is_ascii(text, len))
		return false;
	for (size_t i = 0; i < len;) {
		UChar32 c;
		U8_NEXT(bytes, i, len, c);
		if (c >= 0x80 && is_invisible(c)) {
			*ret = (unsigned)c;
			return true;
		}
	}
	return false;
}

bool key_clean(const char *name, const char *text, size_t len, struct arena *arena,
               const char **ret, struct error *err)
{
	unsigned c;
	if (key_invisible(text, len, &c))
		return error_set(err, EX_DATAERR, "%s: contains an invisible character U+%04X",
		                 name, c);
	if (is_ascii(text, len)) {
		*ret = arena_strndup(arena, text, len);
		return true;
	}
	struct buf clean = {0};
	for (size_t i = 0; i < len;) {
		size_t space =
		        (unsigned char)text[i] < 0x80 ? 0 : space_in_front(text + i, len - i);
		buf_addc(&clean, space > 0 ? ' ' : text[i]);
		i += space > 0 ? space : 1;
	}
	*ret = arena_strndup(arena, buf_text(&clean), clean.len);
	buf_free(&clean);
	return true;
}

/* -- spreadsheets ------------------------------------------------------------------------------ */

static size_t digits_at(const char *text, size_t len, size_t at)
{
	size_t n = 0;
	while (at + n < len && text[at + n] >= '0' && text[at + n] <= '9')
		n++;
	return n;
}

/* 1E+05, 1.0E+05, 1,30356e+10: what programs write; a person's 12E4 has no sign in it. */
static bool is_scientific(const char *text, size_t len)
{
	size_t at = len > 0 && (*text == '-' || *text == '+'), n = digits_at(text, len, at);
	at += n;
	if (n == 0)
		return false;
	if (at < len && (text[at] == '.' || text[at] == ','))
		at += 1 + digits_at(text, len, at + 1);
	if (at + 2 >= len || (text[at] != 'E' && text[at] != 'e') ||
	    (text[at + 1] != '+' && text[at + 1] != '-'))
		return false;
	n = digits_at(text, len, at + 2);
	return n > 0 && at + 2 + n == len;
}

/* 5.0, 1001.00 */
static bool is_floating(const char *text, size_t len)
{
	size_t n = digits_at(text, len, 0), at = n + 1;
	if (n == 0 || at >= len || text[n] != '.')
		return false;
	while (at < len && text[at] == '0')
		at++;
	return at == len;
}

/* #REF!, #N/A, #NAME?, #### */
static bool is_error(const char *text, size_t len)
{
	static const char *const errors[] = {"#REF!",   "#N/A",  "#NAME?", "#VALUE!",
	                                     "#DIV/0!", "#NUM!", "#NULL!", "#ERROR!"};
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		if (strlen(errors[i]) == len && memcmp(errors[i], text, len) == 0)
			return true;
	}
	return len >= 3 && strspn(text, "#") >= len;
}

static bool unwrap(const char **text, size_t *len)
{
	const char *t = *text;
	size_t n = *len;
	if (n >= 3 && t[0] == '=' && t[1] == '"' && t[n - 1] == '"') {
		*text = t + 2;
		*len = n - 3;
	} else if (n >= 2 && t[0] == '\'' && digits_at(t, n, 1) > 0) {
		*text = t + 1;
		*len = n - 1;
	} else {
		return false;
	}
	key_trim(text, len);
	return true;
}

bool key_unsheet(const char *name, bool digits, const char **text, size_t *len, struct error *err)
{
	char quote[UTF8_QUOTE_MAX];
	const char *what = NULL;
	if (unwrap(text, len)) /* it is text because somebody wanted it so */
		return true;
	if (**text == '=')
		what = "is a spreadsheet's formula";
	else if (is_error(*text, *len))
		what = "is a spreadsheet's error";
	else if (is_scientific(*text, *len))
		what = "is a number as a spreadsheet writes it, the digits are lost";
	else if (digits && is_floating(*text, *len))
		what = "is a number as a spreadsheet or program writes it";
	return what == NULL ||
	       error_set(err, EX_DATAERR,
	                 "%s: \"%s\" %s; format the column as text and export it again", name,
	                 utf8_quote(*text, *len, quote), what);
}
