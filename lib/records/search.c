/* SPDX-License-Identifier: MIT */
/*
 * Searching customers by words, each any part of a value.
 *
 * 	text ─ fold ─▶ words ─▶ their trigrams ─ index ─▶ candidates ─ compare ─▶ hits,
 * 	best first
 *
 * The index knows which customers have all the trigrams somewhere; whether those of a word are
 * adjacent in one value is compared on the folded lines. A text that very many have is not followed
 * to the end: the first hits, ENOUGH or some more, are sorted, together with those whose number or
 * name it begins, which are looked up directly and so never missed.
 */
#include "records/records.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "model/key.h"
#include "records/customers_private.h"
#include "records/fold.h"
#include "records/record_find.h"
#include "records/record_suspension.h"
#include "records/search_fold.h"
#include "records/search_private.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { TEXT_MAX_CHARS = 100, TRIGRAMS_MAX = 20, ENOUGH = 400, SHORT = 3, SPELLINGS = 2 };

/* How good a hit is: smaller is better. */
enum rank { RANK_NUMBER, RANK_WHOLE, RANK_BEGIN, RANK_WORD, RANK_INSIDE, RANK_SPREAD, RANK_NONE };

struct hit {
	int64_t id;
	enum rank rank;
	enum search_by by;
	size_t len; /* of the line: of two alike, the shorter is the better */
	const char *value;
};

/* What is searched for as one: a word, or all words as they were typed. */
struct word {
	const char *spelling[SPELLINGS]; /* plain, and spelt out where that differs; NULL: none */
	size_t len[SPELLINGS];
	bool is_short; /* only a whole word counts */
};

struct search {
	struct customers *store;
	struct arena *arena;
	struct word phrase; /* all words with one space between them */
	struct word *words;
	size_t n_words;
	const char *digits; /* of a phone number, without leading zeros; "" where it is none */
	bool foreign;       /* the number begins with a country's */
	enum search_by by;
	size_t enough; /* hits that are gathered before they are sorted */
	struct hit *hits;
	size_t n, cap;
	size_t n_direct; /* the first, found without trigrams: only these may come twice */
	struct error *err;
};

/* -- trigrams ---------------------------------------------------------------------------------- */

static size_t char_len(const char *p)
{
	unsigned char c = (unsigned char)*p;
	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static void add_trigram(struct buf *out, const char *text, size_t len)
{
	buf_adds(out, out->len > 0 && out->data[out->len - 1] != '(' ? " AND \"" : "\"");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			buf_addc(out, '"');
		buf_addc(out, text[i]);
	}
	buf_addc(out, '"');
}

/* Some of the trigrams do, for the hits are compared anyway: evenly taken, the last among them. */
void search_trigrams(struct buf *out, const char *text, size_t len)
{
	size_t count = utf8_length(text, len) - 2, step = (count + TRIGRAMS_MAX - 1) / TRIGRAMS_MAX;
	size_t at = 0;
	for (size_t i = 0; i < count; i++, at += char_len(text + at)) {
		size_t end = at;
		for (int k = 0; k < 3; k++)
			end += char_len(text + end);
		if (i % step == 0 || i + 1 == count)
			add_trigram(out, text + at, end - at);
	}
}

/* -- comparing --------------------------------------------------------------------------------- */

static bool is_word_sign(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

static enum rank rank_in(const char *value, size_t len, const char *text, size_t text_len,
                         bool whole_word)
{
	enum rank best = RANK_NONE;
	const char *end = value + len;
	for (const char *p = value; (p = memmem(p, (size_t)(end - p), text, text_len)) != NULL;
	     p++) {
		bool begins = p == value || !is_word_sign(p[-1]);
		bool ends = p + text_len == end || !is_word_sign(p[text_len]);
		enum rank rank = RANK_INSIDE;
		if (whole_word && !(begins && ends))
			continue;
		if (p == value)
			rank = text_len == len ? RANK_WHOLE : RANK_BEGIN;
		else if (begins)
			rank = RANK_WORD;
		best = rank < best ? rank : best;
	}
	return best;
}

static void better(struct search *search, enum rank rank, enum search_by by, const char *line,
                   size_t len, struct hit *hit)
{
	if (rank > hit->rank || rank == RANK_NONE || (rank == hit->rank && len >= hit->len))
		return;
	hit->rank = rank;
	hit->by = by;
	hit->len = len;
	hit->value = arena_strndup(search->arena, line, len);
}

static void compare_line(struct search *search, enum search_by by, const char *line, size_t len,
                         const struct word *word, struct hit *hit)
{
	for (int i = 0; i < SPELLINGS; i++) {
		if (word->spelling[i] != NULL && len >= word->len[i])
			better(search,
			       rank_in(line, len, word->spelling[i], word->len[i], word->is_short),
			       by, line, len, hit);
	}
}

/* A phone number: as it is typed, or but for the country's number or the zero in its place. */
static void compare_phone(struct search *search, const char *line, size_t len, struct hit *hit)
{
	size_t n = strlen(search->digits), zeros = strspn(line, "0");
	better(search, rank_in(line, len, search->digits, n, false), BY_PHONE, line, len, hit);
	if (zeros >= len)
		return;
	size_t most = search->foreign ? 3 : n == 11 && *search->digits == '1' ? 1 : 0;
	for (size_t k = 1; k <= most && k + 5 <= n; k++) {
		if (n - k == len - zeros && memcmp(search->digits + k, line + zeros, n - k) == 0)
			better(search, RANK_WHOLE, BY_PHONE, line, len, hit);
	}
}

/* The best line of a row's fields; `word` NULL: the phone number. */
static void compare_fields(struct search *search, struct db_query *query, const struct word *word,
                           struct hit *hit)
{
	for (int by = BY_NAME; by < BY_COUNT; by++) {
		size_t len;
		bool looked_at = (search->by == BY_ALL || search->by == (enum search_by)by) &&
		                 (word != NULL || by == BY_PHONE);
		const char *lines = looked_at ? db_peek_text(query, by, &len) : NULL;
		for (const char *line = lines, *end; line != NULL && line < lines + len;
		     line = end + 1) {
			end = memchr(line, '\n', (size_t)(lines + len - line));
			end = end ? end : lines + len;
			if (end == line || *line == FOLD_PAIRS)
				continue;
			if (word != NULL)
				compare_line(search, (enum search_by)by, line, (size_t)(end - line),
				             word, hit);
			else
				compare_phone(search, line, (size_t)(end - line), hit);
		}
	}
}

/* All words, best where they are adjacent. */
static void compare_words(struct search *search, struct db_query *query, struct hit *hit)
{
	struct hit first = {.id = hit->id, .rank = RANK_NONE};
	for (size_t i = 0; i < search->n_words; i++) {
		struct hit one = {.id = hit->id, .rank = RANK_NONE};
		compare_fields(search, query, &search->words[i], &one);
		if (one.rank == RANK_NONE)
			return;
		first = i == 0 ? one : first;
	}
	if (search->n_words == 0)
		return;
	if (search->n_words > 1) {
		struct hit phrase = {.id = hit->id, .rank = RANK_NONE};
		compare_fields(search, query, &search->phrase, &phrase);
		first.rank = RANK_SPREAD;
		first = phrase.rank == RANK_NONE ? first : phrase;
	}
	*hit = first;
}

static bool known(const struct search *search, int64_t id)
{
	for (size_t i = 0; i < search->n_direct; i++) {
		if (search->hits[i].id == id)
			return true;
	}
	return false;
}

static void add_hit(struct search *search, const struct hit *hit)
{
	if (search->n == search->cap) {
		search->cap = search->cap ? search->cap * 2 : 64;
		search->hits = mem_realloc(search->hits, search->cap, sizeof *search->hits);
	}
	search->hits[search->n++] = *hit;
}

/* A row of the lines: the customer's id, then the fields in the order of enum search_by. */
static void compare_row(struct search *search, struct db_query *query)
{
	struct hit hit = {.id = db_int(query, 0), .rank = RANK_NONE};
	compare_words(search, query, &hit);
	if (*search->digits)
		compare_fields(search, query, NULL, &hit);
	if (hit.rank == RANK_NONE)
		return;
	if (hit.by == BY_NUMBER && hit.rank == RANK_WHOLE)
		hit.rank = RANK_NUMBER;
	if (!known(search, hit.id))
		add_hit(search, &hit);
}

static bool compare_rows(struct search *search, struct db_query *query, size_t enough)
{
	enum db_step step = DB_DONE;
	while (search->n < enough && (step = db_step(query, search->err)) == DB_ROW)
		compare_row(search, query);
	db_finish(query);
	return step != DB_FAULT;
}

/* -- looking up -------------------------------------------------------------------------------- */

#define LINES                                                                                      \
	"SELECT t.customer, t.name, t.dba, t.number, t.account, t.address, t.city, t.state, "      \
	"t.phone,"                                                                                 \
	" t.email, t.equipment, t.contact, t.reference, t.county, t.rep FROM "

/* A few of each do where the trigrams find the rest. */
static bool find_directly(struct search *search, const char *sql, const char *text)
{
	struct db_query *query = db_query(search->store->db, sql);
	db_bind_text(query, 1, text);
	db_bind_int(query, 2,
	            search->phrase.is_short && search->enough == SIZE_MAX ? -1 : ENOUGH / 4);
	bool good = compare_rows(search, query, SIZE_MAX);
	search->n_direct = search->n;
	return good;
}

/* What is best of all, found without the trigrams. The number is compared as it is typed. */
static bool find_beginnings(struct search *search, const char *typed)
{
	bool all = search->by == BY_ALL, good = true;
	if (all || search->by == BY_NUMBER)
		good = find_directly(search,
		                     LINES
		                     "customer c JOIN search_words t ON t.customer = c.id"
		                     " WHERE c.number >= ?1 AND c.number < ?1 || char(0x10FFFF)"
		                     " ORDER BY c.number LIMIT ?2",
		                     typed);
	if (good && search->n_words > 0 && (all || search->by == BY_NAME))
		good = find_directly(
		        search,
		        LINES "search_words t WHERE t.name >= ?1 AND t.name < ?1 || char(0x10FFFF)"
		              " ORDER BY t.name LIMIT ?2",
		        arena_printf(search->arena, "\n%s", search->phrase.spelling[0]));
	return good;
}

/* A word of one or two characters, with what parts it from others. */
static void add_whole_word(struct buf *out, const char *text, size_t len)
{
	static const char *const around[][2] = {{" ", " "}, {" ", "\n"}, {"\n", " "}, {"\n", "\n"}};
	static const char *const beside[][2] = {{" ", ""}, {"\n", ""}};
	bool one = utf8_length(text, len) == 1;
	size_t n = one ? 4 : 2;
	for (size_t i = 0; i < n; i++) {
		const char *const *sides = one ? around[i] : beside[i];
		buf_printf(out, "%s\"%s%.*s%s\"", i > 0 ? " OR " : "", sides[0], (int)len, text,
		           sides[1]);
	}
}

/* ("wal" AND "alm" …) OR ("…") of one word in all its spellings. */
static void add_word(struct buf *out, const struct word *word)
{
	for (int i = 0; i < SPELLINGS; i++) {
		const char *text = word->spelling[i];
		if (text == NULL)
			continue;
		buf_adds(out, i > 0 ? " OR (" : "(");
		if (utf8_length(text, word->len[i]) >= SHORT)
			search_trigrams(out, text, word->len[i]);
		else
			add_whole_word(out, text, word->len[i]);
		buf_adds(out, ")");
	}
}

/* Of a number that may begin with a country's, what is behind that. */
static void add_phone(const struct search *search, struct buf *out)
{
	size_t n = strlen(search->digits), skip = 0;
	if (search->foreign && n >= 8)
		skip = 3;
	else if (n == 11 && *search->digits == '1')
		skip = 1;
	buf_printf(out, "%s{phone} : (", out->len > 0 ? " OR " : "");
	search_trigrams(out, search->digits + skip, n - skip);
	buf_adds(out, ")");
}

static void add_expression(const struct search *search, struct buf *out)
{
	for (size_t i = 0; i < search->n_words; i++) {
		buf_adds(out, i > 0 ? " AND " : "");
		if (search->by != BY_ALL)
			buf_printf(out, "{%s} : ", search_by_name(search->by));
		buf_adds(out, "(");
		add_word(out, &search->words[i]);
		buf_adds(out, ")");
	}
	if (*search->digits)
		add_phone(search, out);
}

static bool find_inside(struct search *search)
{
	struct buf expression = {0};
	add_expression(search, &expression);
	struct db_query *query =
	        db_query(search->store->db, LINES "search s JOIN search_words t ON t.customer ="
	                                          " s.rowid WHERE search MATCH ?1");
	db_bind_text_n(query, 1, expression.data, expression.len);
	bool good = compare_rows(search, query, search->enough);
	buf_free(&expression);
	return good;
}

/* -- results ----------------------------------------------------------------------------------- */

static int by_rank(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->by != y->by)
		return x->by < y->by ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

bool search_summary(struct customers *store, int64_t id, json_t **ret, struct error *err)
{
	static const char *const keys[] = {"number", "name",  "dba",   "address",
	                                   "city",   "state", "phone", "status"};
	struct db_query *query =
	        db_query(store->db, "SELECT number, name, dba, address, city, state, phone, status"
	                            " FROM customer WHERE id = ?1");
	db_bind_int(query, 1, id);
	enum db_step step = db_step(query, err);
	if (step == DB_FAULT)
		return false;
	json_t *object = json_object();
	for (int i = 0; step == DB_ROW && i < (int)(sizeof keys / sizeof keys[0]); i++) {
		const char *text = db_peek_text(query, i, NULL);
		json_t *value = text ? json_string(text) : NULL;
		(void)json_object_set_new(object, keys[i], value ? value : json_null());
	}
	db_finish(query);
	*ret = object;
	return true;
}

static bool result(struct search *search, const struct hit *hit, json_t *array)
{
	json_t *object;
	const char *value;
	if (!search_value(search->store, hit->id, hit->by, hit->value, search->arena, &value,
	                  search->err) ||
	    !search_summary(search->store, hit->id, &object, search->err))
		return false;
	(void)json_object_set_new(
	        object, "matched",
	        json_pack("{s:s, s:s}", "field", search_by_name(hit->by), "value", value));
	(void)json_array_append_new(array, object);
	return true;
}

static bool results(struct search *search, int limit, json_t *array)
{
	bool good = true;
	if (search->n > 0)
		qsort(search->hits, search->n, sizeof *search->hits, by_rank);
	for (size_t i = 0; good && i < search->n && (limit <= 0 || i < (size_t)limit); i++)
		good = result(search, &search->hits[i], array);
	return good;
}

/* -- the text ---------------------------------------------------------------------------------- */

/* Whether it may be a phone number: digits, and what people put between them. */
static bool phone_like(const char *text)
{
	return text[strspn(text, "0123456789 +-()./")] == '\0';
}

/* Without "(0)" and zeros in front: with them or a country's number, it is the same phone. */
static void read_phone(struct search *search, const char *text)
{
	struct buf digits = {0};
	const char *trunk = strstr(text, "(0)");
	fold_digits(text, trunk ? (size_t)(trunk - text) : strlen(text), &digits);
	if (trunk)
		fold_digits(trunk + 3, strlen(trunk + 3), &digits);
	const char *typed = buf_text(&digits);
	size_t zeros = strspn(typed, "0");
	search->foreign = *text == '+' || zeros >= 2;
	if (strlen(typed) - zeros >= SHORT)
		search->digits = arena_strdup(search->arena, typed + zeros);
	buf_free(&digits);
}

static struct word word_of(struct search *search, const char *text, size_t len)
{
	struct word word = {0};
	for (int i = 0; i < SPELLINGS; i++) {
		struct buf folded = {0};
		fold_word(text, len, i == 1, &folded);
		bool same = i == 1 && word.len[0] == folded.len && folded.len > 0 &&
		            memcmp(word.spelling[0], folded.data, folded.len) == 0;
		if (folded.len > 0 && !same) {
			word.spelling[i] = arena_strndup(search->arena, folded.data, folded.len);
			word.len[i] = folded.len;
		}
		buf_free(&folded);
	}
	size_t chars = word.spelling[0] ? utf8_length(word.spelling[0], word.len[0]) : 0;
	word.is_short =
	        chars < SHORT && !(chars == 2 && fold_is_han(word.spelling[0], word.len[0]));
	return word;
}

/* Words are what white space of any kind parts; of some nothing is left. */
static void read_words(struct search *search, const char *text, size_t len)
{
	search->words = arena_new_array(search->arena, len + 1, struct word);
	search->phrase = word_of(search, text, len);
	const char *clean = "";
	/* A no-break space parts words, too. */
	if (!key_clean("text", text, len, search->arena, &clean, NULL))
		clean = arena_strndup(search->arena, text, len);
	for (const char *p = clean + strspn(clean, " \t\r\n"); *p; p += strspn(p, " \t\r\n")) {
		size_t n = strcspn(p, " \t\r\n");
		struct word word = word_of(search, p, n);
		if (word.spelling[0])
			search->words[search->n_words++] = word;
		p += n;
	}
}

static bool prepare(struct search *search, const char *text)
{
	size_t len = strlen(text);
	search->digits = "";
	if (!utf8_valid(text, len))
		return error_set(search->err, EX_DATAERR, "the search text is not valid UTF-8");
	if (search->by == BY_PHONE || (search->by == BY_ALL && phone_like(text)))
		read_phone(search, text);
	if (utf8_length(text, len) > TEXT_MAX_CHARS)
		return error_set(search->err, EX_DATAERR,
		                 "the search text is longer than %d characters",
		                 (int)TEXT_MAX_CHARS);
	read_words(search, text, len);
	if (search->by == BY_PHONE && *search->digits)
		search->n_words = 0; /* what else is between digits doesn't count */
	return search->n_words > 0 || *search->digits ||
	       error_set(search->err, EX_DATAERR, "the search text is empty");
}

static bool search_run(struct search *search, const char *text)
{
	return prepare(search, text) && find_beginnings(search, text + strspn(text, " ")) &&
	       find_inside(search);
}

bool customers_search(struct customers *store, const char *text, enum search_by by, int limit,
                      json_t **ret, struct error *err)
{
	struct search search = {.store = store, .arena = arena_new(), .by = by, .err = err};
	search.enough =
	        limit <= 0 ? SIZE_MAX : 2 * ((size_t)limit > ENOUGH ? (size_t)limit : ENOUGH);
	json_t *array = json_array();
	bool good = search_run(&search, text) && results(&search, limit, array);
	free(search.hits);
	arena_free(search.arena);
	if (good)
		*ret = array;
	else
		json_decref(array);
	return good;
}

bool customers_show_suspended(struct customers *store, json_t *rows, const char *default_zone,
                              struct instant now, struct error *err)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		const char *number = json_string_value(json_object_get(row, "number"));
		bool suspended = false;
		int64_t id = 0;
		if (number != NULL &&
		    (!customer_id(store, number, &id, err) ||
		     !customer_suspended(store, id, default_zone, now, &suspended, err)))
			return false;
		(void)json_object_set_new(row, "suspended", json_boolean(suspended));
	}
	return true;
}
