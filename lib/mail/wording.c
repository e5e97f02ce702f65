/* SPDX-License-Identifier: MIT */
/*
 * Replies compared. A word is kept only if it looks like one of a language: letters, no digit, no
 * dot or sign inside, vowels, no capitals in the middle. Taking too much away makes two different
 * replies one, which opens the relay's breaker; taking too little keeps the same one apart, which
 * costs mails. So what is doubtful goes.
 */
#include "mail/wording.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	WORD_LONGEST = 24,
	HEX_SHORTEST = 8,
	CONSONANTS_MOST = 4,
	CAPITALS_FEW = 8,
	WORDS_MAX = 128
};

struct word {
	const char *at;
	size_t len;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
	return is_lower(c) || is_upper(c) || (unsigned char)c >= 0x80;
}

static bool equals(struct word word, const char *text, size_t len)
{
	return word.len == len && strncasecmp(word.at, text, len) == 0;
}

/* The next run without blanks; false at the end. */
static bool next_word(const char **p, struct word *ret)
{
	while (is_space(**p))
		(*p)++;
	ret->at = *p;
	while (**p != '\0' && !is_space(**p))
		(*p)++;
	ret->len = (size_t)(*p - ret->at);
	return ret->len > 0;
}

/* ---- codes ---- */

static bool is_code(struct word word)
{
	return word.len == 3 && is_digit(word.at[0]) && is_digit(word.at[1]) &&
	       is_digit(word.at[2]);
}

static bool is_enhanced(struct word word)
{
	size_t dots = 0;

	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] != '.' && !is_digit(word.at[i]))
			return false;
		dots += word.at[i] == '.';
	}
	return word.len >= 5 && dots == 2 && is_digit(word.at[0]) && word.at[1] == '.';
}

/* ---- what isn't a word ---- */

static const char *const quotes[][2] = {
        {"\"", "\""}, {"<", ">"}, {"[", "]"}, {"`", "'"}, {"'", "'"},
        {"“", "”"},   {"„", "“"}, {"«", "»"}, {"‘", "’"}, {"‚", "‘"},
};

/* Whether a quotation begins at `p` of `text`; then where it ends. An apostrophe within a word is
 * none. */
static const char *quotation_end(const char *text, const char *p)
{
	for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
		size_t n = strlen(quotes[i][0]);
		if (strncmp(p, quotes[i][0], n) != 0 ||
		    (*p == '\'' && p > text && is_letter(p[-1])))
			continue;
		const char *end = strstr(p + n, quotes[i][1]);
		while (end && *end == '\'' && is_letter(end[1]))
			end = strstr(end + 1, quotes[i][1]);
		if (end)
			return end + strlen(quotes[i][1]);
	}
	return NULL;
}

static void drop_quotations(char *ret, const char *text)
{
	for (const char *p = text; *p;) {
		const char *end = quotation_end(text, p);
		*ret++ = end ? ' ' : *p;
		p = end ? end : p + 1;
	}
	*ret = '\0';
}

static bool is_edge(char c)
{
	return !is_letter(c) && !is_digit(c);
}

static struct word without_edges(struct word word)
{
	while (word.len > 0 && is_edge(word.at[0]))
		word = (struct word){word.at + 1, word.len - 1};
	while (word.len > 0 && is_edge(word.at[word.len - 1]))
		word.len--;
	return word;
}

/* Only letters, with an apostrophe or a hyphen between at most. */
static bool is_of_letters(struct word word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_letter(word.at[i]) && word.at[i] != '-' && word.at[i] != '\'')
			return false;
	return word.len > 0;
}

static bool is_hex(struct word word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_digit(word.at[i]) && !strchr("abcdefABCDEF", word.at[i]))
			return false;
	return word.len >= HEX_SHORTEST;
}

static bool has_inner_capital(struct word word)
{
	for (size_t i = 1; i < word.len; i++)
		if (is_upper(word.at[i]) && is_lower(word.at[i - 1]))
			return true;
	return false;
}

static bool is_unpronounceable(struct word word)
{
	for (size_t i = 0; i < word.len; i++)
		if (strchr("aeiouyAEIOUY", word.at[i]) || (unsigned char)word.at[i] >= 0x80)
			return false;
	return word.len > CONSONANTS_MOST;
}

/* An id of random capitals, or a word that is shouted: without it the rest still says what is the
 * matter. */
static bool is_shouted(struct word word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_upper(word.at[i]))
			return false;
	return word.len >= CAPITALS_FEW;
}

/* Days and months, as mail servers write times. */
static bool is_of_a_date(struct word word)
{
	static const char names[] =
	        "mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov "
	        "dec utc gmt pst pdt est edt cst cdt mst mdt cet cest ";

	for (const char *p = names; *p; p = strchr(p, ' ') + 1)
		if (equals(word, p, (size_t)(strchr(p, ' ') - p)))
			return true;
	return false;
}

/* "kim", "miller", "example" of kim.miller@example.com; the whole local part and domain, too. */
static bool is_of_address(struct word word, const char *to)
{
	const char *at = strrchr(to, '@');
	size_t local = at ? (size_t)(at - to) : strlen(to);

	if (equals(word, to, local) || (at && equals(word, at + 1, strlen(at + 1))))
		return true;
	for (const char *p = to; *p;) {
		size_t n = strcspn(p, ".@_+-");
		if (n > 0 && equals(word, p, n))
			return true;
		p += n + (p[n] != '\0');
	}
	return false;
}

static bool is_word(struct word word, const char *to)
{
	return is_of_letters(word) && word.len <= WORD_LONGEST && !is_hex(word) &&
	       !has_inner_capital(word) && !is_unpronounceable(word) && !is_shouted(word) &&
	       !is_of_a_date(word) && !is_of_address(word, to);
}

/* ---- the key ---- */

static void add(char *ret, size_t *used, struct word word)
{
	if (*used + word.len + 2 > WORDING_MAX)
		return;
	for (size_t i = 0; i < word.len; i++) {
		char c = word.at[i];
		ret[(*used)++] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
	}
	ret[(*used)++] = ' ';
	ret[*used] = '\0';
}

/* Text whose words no blanks part (Japanese, Chinese, Thai): the foreign letters of it. */
static void add_foreign(char *ret, size_t *used, struct word word)
{
	for (size_t i = 0; i < word.len;) {
		size_t n = 0;
		while (i + n < word.len && (unsigned char)word.at[i + n] >= 0x80)
			n++;
		if (n > 0)
			add(ret, used, (struct word){word.at + i, n});
		i += n > 0 ? n : 1;
	}
}

void wording_key(char *ret, const char *reply, const char *to)
{
	char text[WORDING_MAX], plain[WORDING_MAX];
	const char *p = plain;
	size_t used = 0;
	struct word word;

	ret[0] = '\0';
	snprintf(text, sizeof text, "%s", reply);
	drop_quotations(plain, text);
	for (size_t n = 0; next_word(&p, &word); n++) {
		if ((n == 0 && is_code(word)) || (n == 1 && is_enhanced(word))) {
			add(ret, &used, word);
			continue;
		}
		word = without_edges(word);
		if (is_word(word, to))
			add(ret, &used, word);
		else
			add_foreign(ret, &used, word);
	}
}

/* ---- comparing ---- */

static size_t split(const char *key, struct word words[WORDS_MAX])
{
	size_t n = 0;

	while (n < WORDS_MAX && next_word(&key, &words[n]))
		n++;
	return n;
}

/* How many words at the beginning are codes. */
static size_t count_codes(const struct word *words, size_t n)
{
	size_t codes = 0;

	while (codes < n && codes < 2 && is_digit(words[codes].at[0]))
		codes++;
	return codes;
}

static size_t count_common(const struct word *a, size_t n_a, const struct word *b, size_t n_b)
{
	bool used[WORDS_MAX] = {false};
	size_t common = 0;

	for (size_t i = 0; i < n_a; i++)
		for (size_t k = 0; k < n_b; k++)
			if (!used[k] && equals(a[i], b[k].at, b[k].len)) {
				used[k] = true;
				common++;
				break;
			}
	return common;
}

bool wording_same(const char *a, const char *b)
{
	struct word words_a[WORDS_MAX], words_b[WORDS_MAX];
	size_t n_a = split(a, words_a), n_b = split(b, words_b);
	size_t codes = count_codes(words_a, n_a), most = n_a > n_b ? n_a : n_b;

	if (codes != count_codes(words_b, n_b) ||
	    count_common(words_a, codes, words_b, codes) != codes)
		return false;
	return count_common(words_a + codes, n_a - codes, words_b + codes, n_b - codes) * 4 >=
	       (most - codes) * 3;
}
