/* SPDX-License-Identifier: MIT */
/* Accept-Language: its pieces are read one after the other for each language that there is. */
#include "center/http/accept_language.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A piece of the header: "de-AT;q=0.8". */
struct range {
	const char *tag;
	size_t len;
	int weight; /* in thousandths */
};

#define BLANKS " \t"

/* "0.8" → 800 (RFC 9110, section 12.4.2); -1 where it is not a weight. */
static int read_weight(const char *text, size_t len)
{
	int weight = 0, unit = 1000;
	if (len == 0 || len > 5 || (len > 1 && text[1] != '.'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (i == 1)
			continue;
		if (text[i] < '0' || text[i] > '9')
			return -1;
		weight += (text[i] - '0') * unit;
		unit /= 10;
	}
	return weight <= 1000 ? weight : -1;
}

/* Takes the next piece off the header; false at its end. One that can't be read weighs -1. */
static bool next_range(const char **header, struct range *ret)
{
	const char *text = *header + strspn(*header, BLANKS ",");
	if (*text == '\0')
		return false;
	size_t piece = strcspn(text, ",");
	*ret = (struct range){.tag = text, .len = strcspn(text, BLANKS ",;"), .weight = 1000};
	*header = text + piece;
	const char *end = text + piece, *at = text + ret->len;
	at += strspn(at, BLANKS);
	if (at >= end)
		return true;
	bool has_weight = *at == ';';
	at += strspn(at, BLANKS ";");
	while (end > at && strchr(BLANKS, end[-1]))
		end--;
	ret->weight = has_weight && end - at > 2 && strncasecmp(at, "q=", 2) == 0
	                      ? read_weight(at + 2, (size_t)(end - at - 2))
	                      : -1;
	return true;
}

static bool is_any(const struct range *range)
{
	return range->len == 1 && *range->tag == '*';
}

static bool names(const struct range *range, const char *language)
{
	size_t len = strlen(language);
	return range->len >= len && strncasecmp(range->tag, language, len) == 0 &&
	       (range->len == len || range->tag[len] == '-');
}

/* Its weight, and where in the header that is; 0 where it isn't acceptable. The language itself
 * refused (`de;q=0`) is refused with all its regions. */
static int weigh(const char *header, const char *language, size_t *ret_at)
{
	struct range range;
	int own = -1, any = 0;
	size_t any_at = 0;
	for (size_t at = 0; next_range(&header, &range); at++) {
		if (range.weight < 0)
			continue;
		if (is_any(&range)) {
			any = range.weight;
			any_at = at;
		} else if (names(&range, language)) {
			if (range.weight == 0 && range.len == strlen(language))
				return 0;
			if (range.weight > own)
				*ret_at = at;
			own = range.weight > own ? range.weight : own;
		}
	}
	if (own >= 0)
		return own;
	*ret_at = any_at;
	return any;
}

size_t accept_language(const char *header, const char *const *languages, size_t n)
{
	size_t best = 0, best_at = 0;
	int best_weight = 0;
	for (size_t i = 0; header && i < n; i++) {
		size_t at = 0;
		int weight = weigh(header, languages[i], &at);
		if (weight > best_weight || (weight == best_weight && weight > 0 && at < best_at)) {
			best = i;
			best_at = at;
			best_weight = weight;
		}
	}
	return best;
}
