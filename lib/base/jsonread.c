/* SPDX-License-Identifier: MIT */
/* Reading JSON, and what is wrong with text that is not JSON, in words that are ours and not
 * jansson's. */
#include "base/jsonmend.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { WORDS_MAX = 200 };

/* jansson's messages (the beginning of each), and ours. */
static const struct {
	const char *theirs, *ours;
} words[] = {
        {"unable to decode byte", "a byte that is not UTF-8"},
        {"\\u0000 is not allowed", "a NUL character (\\u0000) in a string"},
        {"NUL byte in object key", "a NUL character (\\u0000) in a key"},
        {"invalid Unicode escape", "\\u without four hexadecimal digits behind it"},
        {"invalid Unicode", "half a surrogate pair (\\ud800 to \\udfff) in a string"},
        {"premature end of input", "the text ends inside a string"},
        {"unexpected newline", "a line break inside a string, expected \\n"},
        {"control character", "a control character inside a string, expected an escape"},
        {"invalid escape", "an unknown escape in a string"},
        {"too big", "a number beyond 64 bits"},
        {"real number overflow", "a number beyond the range of a double"},
        {"string or '}' expected", "expected a key in quotes or }"},
        {"':' expected", "expected a colon"},
        {"'}' expected", "expected a comma or }"},
        {"']' expected", "expected a comma or ]"},
        {"maximum parsing depth", "more than 2048 objects and arrays inside one another"},
        {"end of file expected", "more text behind the JSON value"},
        {"duplicate object key", "the same key twice in an object"},
};

static const char *our_words(const char *theirs)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(theirs, words[i].theirs, strlen(words[i].theirs)) == 0)
			return words[i].ours;
	return "no JSON value";
}

/* jansson's sentence ends in " near '…'", where that is the last it has read, or " near end of
 * file". */
static void describe_fault(const json_error_t *fault, bool blank, char text[WORDS_MAX])
{
	static const char near[] = " near '", end[] = " near end of file";
	char quote[UTF8_QUOTE_MAX];
	const char *ours = our_words(fault->text), *found = strstr(fault->text, near);
	if (blank)
		(void)snprintf(text, WORDS_MAX, "the text is empty");
	else if (strstr(fault->text, end) != NULL)
		(void)snprintf(text, WORDS_MAX, "%s, but the text ends here", ours);
	else if (found != NULL && strlen(found) > strlen(near))
		(void)snprintf(
		        text, WORDS_MAX, "%s (found %s)", ours,
		        utf8_quote(found + strlen(near), strlen(found) - strlen(near) - 1, quote));
	else
		(void)snprintf(text, WORDS_MAX, "%s", ours);
}

static json_t *parse(const char *text, size_t len, json_error_t *fault)
{
	return json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, fault);
}

/* A second try, with what we can't hold put otherwise. */
static json_t *parse_mended(const char *text, size_t len, enum jsonmend_what what,
                            jsontext_mended *mended, void *arg, json_error_t *fault)
{
	struct buf other = {0};
	jsonmend(text, len, what, mended, arg, &other);
	json_t *value = parse(buf_text(&other), other.len, fault);
	buf_free(&other);
	return value;
}

static void skip_mark(const char **text, size_t *len)
{
	static const char mark[] = "\xEF\xBB\xBF";
	if (*len < strlen(mark) || memcmp(*text, mark, strlen(mark)) != 0)
		return;
	*text += strlen(mark);
	*len -= strlen(mark);
}

static bool is_blank(const char *text, size_t len)
{
	while (len > 0 &&
	       (text[len - 1] == ' ' || (text[len - 1] >= '\t' && text[len - 1] <= '\r')))
		len--;
	return len == 0;
}

static json_t *read_value(const char *text, size_t len, json_error_t *fault,
                          char ret_words[WORDS_MAX])
{
	skip_mark(&text, &len);
	json_t *value = parse(text, len, fault);
	if (value == NULL && json_error_code(fault) == json_error_numeric_overflow)
		value = parse_mended(text, len, JSONMEND_WHOLE_NUMBERS, NULL, NULL, fault);
	if (value == NULL)
		describe_fault(fault, is_blank(text, len), ret_words);
	return value;
}

static json_t *place_fault(const json_error_t *fault, const char *what, struct error *err)
{
	(void)error_set(err, EX_DATAERR, "line %d, column %d: %s", fault->line, fault->column,
	                what);
	return NULL;
}

json_t *jsontext_read(const char *text, size_t len, struct error *err)
{
	char what[WORDS_MAX];
	json_error_t fault = {0};
	json_t *value = read_value(text, len, &fault, what);
	return value != NULL ? value : place_fault(&fault, what, err);
}

json_t *jsontext_read_line(const char *text, size_t len, int *ret_column, struct error *err)
{
	char what[WORDS_MAX];
	json_error_t fault = {0};
	json_t *value = read_value(text, len, &fault, what);
	if (value == NULL) {
		(void)error_set(err, EX_DATAERR, "%s", what);
		*ret_column = fault.column;
	}
	return value;
}

json_t *jsontext_read_mended(const char *text, size_t len, jsontext_mended *mended, void *arg,
                             struct error *err)
{
	char what[WORDS_MAX];
	json_error_t fault = {0};
	skip_mark(&text, &len);
	json_t *value = parse(text, len, &fault);
	if (value == NULL)
		value = parse_mended(text, len, JSONMEND_ALL, mended, arg, &fault);
	if (value != NULL)
		return value;
	describe_fault(&fault, is_blank(text, len), what);
	return place_fault(&fault, what, err);
}
