/* SPDX-License-Identifier: MIT */
/*
 * Folding, by ICU's NFKD and a table for what it leaves. Most text is ASCII and never sees ICU: an
 * import folds a million customers.
 */
#include "store/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

/* Lower-case letters that Unicode doesn't decompose, as people without them on the keyboard type them. */
static const struct {
	UChar32 letter;
	const char *plain;
} plain_letters[] = {
        {.letter = 0x00e6, .plain = "ae"}, {.letter = 0x00f8, .plain = "o"},
        {.letter = 0x00df, .plain = "ss"}, {.letter = 0x00f0, .plain = "d"},
        {.letter = 0x00fe, .plain = "th"}, {.letter = 0x0111, .plain = "d"},
        {.letter = 0x0127, .plain = "h"},  {.letter = 0x0131, .plain = "i"},
        {.letter = 0x0138, .plain = "k"},  {.letter = 0x0142, .plain = "l"},
        {.letter = 0x014b, .plain = "ng"}, {.letter = 0x0153, .plain = "oe"},
        {.letter = 0x0167, .plain = "t"},  {.letter = 0x0180, .plain = "b"},
        {.letter = 0x0192, .plain = "f"},  {.letter = 0x01b6, .plain = "z"},
        {.letter = 0x0219, .plain = "s"},  {.letter = 0x021b, .plain = "t"},
        {.letter = 0x0259, .plain = "e"},  {.letter = 0x2018, .plain = "'"},
        {.letter = 0x2019, .plain = "'"},  {.letter = 0x2010, .plain = "-"},
        {.letter = 0x2013, .plain = "-"},  {.letter = 0x2014, .plain = "-"},
};

static void add_space(struct buf *out, size_t start)
{
	if (out->len > start && out->data[out->len - 1] != ' ')
		buf_addc(out, ' ');
}

static void add_char(struct buf *out, UChar32 c)
{
	for (size_t i = 0; i < sizeof plain_letters / sizeof plain_letters[0]; i++) {
		if (plain_letters[i].letter == c) {
			buf_adds(out, plain_letters[i].plain);
			return;
		}
	}
	char bytes[8];
	int32_t n = 0;
	UChar units[2];
	UErrorCode status = U_ZERO_ERROR;
	(void)u_strFromUTF32(units, 2, &n, &c, 1, &status);
	(void)u_strToUTF8(bytes, sizeof bytes, &n, units, n, &status);
	if (U_SUCCESS(status))
		buf_add(out, bytes, (size_t)n);
}

static void add_folded(struct buf *out, size_t start, UChar32 c)
{
	if (u_isUWhiteSpace(c))
		add_space(out, start);
	else if (u_charType(c) != U_NON_SPACING_MARK && u_charType(c) != U_CONTROL_CHAR)
		add_char(out, u_foldCase(c, U_FOLD_CASE_DEFAULT));
}

/* One character by its decomposition; most have none. */
static void add_decomposed(struct buf *out, size_t start, UChar32 c)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&status); /* ICU's own, the same for ever */
	UChar units[32];
	UChar32 parts[32];
	int32_t n = nfkd ? unorm2_getDecomposition(nfkd, c, units, 32, &status) : -1;
	if (n >= 0)
		(void)u_strToUTF32(parts, 32, &n, units, n, &status);
	if (n < 0 || U_FAILURE(status)) {
		add_folded(out, start, c);
		return;
	}
	for (int32_t i = 0; i < n; i++)
		add_folded(out, start, parts[i]);
}

static void add_ascii(struct buf *out, size_t start, char c)
{
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		add_space(out, start);
	else if (c >= 'A' && c <= 'Z')
		buf_addc(out, (char)(c - 'A' + 'a'));
	else if (c > ' ' && c != 0x7f)
		buf_addc(out, c);
}

void fold_text(const char *text, size_t len, struct buf *out)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t start = out->len;
	for (size_t i = 0; i < len;) {
		UChar32 c;
		if (bytes[i] < 0x80) {
			add_ascii(out, start, text[i++]);
			continue;
		}
		U8_NEXT(bytes, i, len, c);
		if (c >= 0)
			add_decomposed(out, start, c);
	}
	if (out->len > start && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

void fold_digits(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] >= '0' && text[i] <= '9')
			buf_addc(out, text[i]);
	}
}
