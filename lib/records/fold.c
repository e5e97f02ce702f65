/* SPDX-License-Identifier: MIT */
/*
 * Folding, by ICU's NFKD and a table for what it leaves. Most text is ASCII and never sees ICU: an
 * import folds a million customers.
 */
#include "records/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

/* Lower-case letters that Unicode doesn't decompose, as people without them on the keyboard type
 * them. */
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
	const UNormalizer2 *nfkd =
	        unorm2_getNFKDInstance(&status); /* ICU's own, the same for ever */
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

/* -- spellings --------------------------------------------------------------------------------- */

enum punctuation { PUNCTUATION_DROPPED, PUNCTUATION_SPACE };

/* German and Danish letters: what is behind them when they are spelt out. */
static const char *spelt_out(UChar32 mark, char letter)
{
	if (mark == 0x0308 && (letter == 'a' || letter == 'o' || letter == 'u'))
		return "e";
	return mark == 0x030a && letter == 'a' ? "a" : NULL;
}

static bool is_sign(UChar32 c)
{
	uint32_t mask = U_GET_GC_MASK(c);
	return (mask & (U_GC_P_MASK | U_GC_S_MASK)) != 0;
}

/* What is left of a character of the NFKD in this spelling. */
static void add_spelling(struct buf *out, size_t start, UChar32 c, enum punctuation punctuation,
                         bool spelt)
{
	const char *more = out->len > start ? spelt_out(c, out->data[out->len - 1]) : NULL;
	if (spelt && more != NULL)
		buf_adds(out, more);
	else if (spelt && (c == 0x00f8 || c == 0x00d8))
		buf_adds(out, "oe");
	else if (u_isUWhiteSpace(c) || (is_sign(c) && punctuation == PUNCTUATION_SPACE))
		add_space(out, start);
	else if (!is_sign(c) && u_charType(c) != U_FORMAT_CHAR)
		add_folded(out, start, c);
}

static void add_line(const char *text, size_t len, enum punctuation punctuation, bool spelt,
                     struct buf *out)
{
	const uint8_t *bytes = (const uint8_t *)text;
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&status);
	size_t start = out->len;
	for (size_t i = 0; i < len;) {
		UChar units[32];
		UChar32 c, parts[32];
		int32_t n;
		U8_NEXT(bytes, i, len, c);
		if (c < 0)
			continue;
		status = U_ZERO_ERROR;
		n = c < 0x80 || nfkd == NULL ? -1
		                             : unorm2_getDecomposition(nfkd, c, units, 32, &status);
		if (n >= 0)
			(void)u_strToUTF32(parts, 32, &n, units, n, &status);
		if (n < 0 || U_FAILURE(status)) {
			parts[0] = c;
			n = 1;
		}
		for (int32_t k = 0; k < n; k++)
			add_spelling(out, start, parts[k], punctuation, spelt);
	}
	if (out->len > start && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

void fold_word(const char *text, size_t len, bool spelt, struct buf *out)
{
	add_line(text, len, PUNCTUATION_DROPPED, spelt, out);
}

/* Takes the line that begins at `line` away again where it is empty or like one since `first`. */
static void end_line(struct buf *out, size_t first, size_t line)
{
	size_t len = out->len - line;
	bool there = len == 0;
	for (size_t at = first; !there && at < line;) {
		const char *end = memchr(out->data + at, '\n', line - at);
		size_t n = end ? (size_t)(end - (out->data + at)) : line - at;
		there = n == len && memcmp(out->data + at, out->data + line, len) == 0;
		at += n + 1;
	}
	if (there) {
		out->len = line;
		if (out->data)
			out->data[line] = '\0';
	} else {
		buf_addc(out, '\n');
	}
}

static bool is_han(UChar32 c)
{
	UErrorCode status = U_ZERO_ERROR;
	UScriptCode script = uscript_getScript(c, &status);
	return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ||
	       c == 0x30fc;
}

bool fold_is_han(const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	for (size_t i = 0; i < len;) {
		UChar32 c;
		U8_NEXT(bytes, i, len, c);
		if (c < 0x80 || !is_han(c))
			return false;
	}
	return len > 0;
}

/* Any two adjacent ones, as words of their own. */
static void add_pairs(struct buf *out, const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	size_t before = 0, n_before = 0, start = out->len;
	for (size_t i = 0; i < len;) {
		size_t at = i;
		UChar32 c;
		U8_NEXT(bytes, i, len, c);
		if (c < 0x80 || !is_han(c)) {
			n_before = 0;
			continue;
		}
		if (n_before > 0) {
			if (out->len == start)
				buf_addc(out, FOLD_PAIRS);
			buf_addc(out, ' ');
			buf_add(out, text + before, i - before);
		}
		before = at;
		n_before = i - at;
	}
	if (out->len > start)
		buf_adds(out, " \n");
}

static bool is_plain_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == ' '))
			return false;
	}
	return true;
}

void fold_lines(const char *text, size_t len, bool compact, struct buf *out)
{
	size_t first = out->len, line = first;
	fold_text(text, len, out);
	end_line(out, first, line);
	if (is_plain_ascii(text, len)) /* most values: an import folds a million customers */
		return;
	for (int spelt = 0; spelt < 2; spelt++) {
		line = out->len;
		add_line(text, len, PUNCTUATION_DROPPED, spelt == 1, out);
		end_line(out, first, line);
		line = out->len;
		if (!compact)
			add_line(text, len, PUNCTUATION_SPACE, spelt == 1, out);
		end_line(out, first, line);
	}
	struct buf folded = {0};
	fold_text(text, len, &folded);
	add_pairs(out, folded.data ? folded.data : "", folded.len);
	buf_free(&folded);
}
