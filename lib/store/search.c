/* SPDX-License-Identifier: MIT */
/*
 * Searching customers by any part of a value.
 *
 *	text ─ fold ─▶ its trigrams ─ index ─▶ candidates ─ compare ─▶ hits ─ sort ─▶ best first
 *
 * The index knows which customers have all the trigrams somewhere; whether they stand together in one
 * value is compared on the folded copy. A text that very many have is not followed to the end: the
 * first hits, ENOUGH or some more, are sorted, together with those whose number or name it begins, which are
 *looked up directly and so never missed.
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "store/fold.h"
#include "store/record_private.h"
#include "store/search_private.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { TEXT_MAX_CHARS = 100, TRIGRAMS_MAX = 20, ENOUGH = 400, SHORT = 3 };

/* How good a hit is: smaller is better. */
enum rank { RANK_NUMBER, RANK_WHOLE, RANK_BEGIN, RANK_WORD, RANK_INSIDE, RANK_NONE };

struct hit {
	int64_t id;
	enum rank rank;
	enum search_by by;
	size_t len; /* of the value: of two alike, the shorter is the better */
	const char *value;
};

struct search {
	struct customers *store;
	struct arena *arena;
	struct buf text;   /* folded */
	struct buf digits; /* its digits where it may be a phone number */
	enum search_by by;
	size_t enough; /* hits that are gathered before they are sorted */
	struct hit *hits;
	size_t n, cap;
	size_t n_direct; /* the first of them, found without the trigrams: only these may come twice */
	struct error *err;
};

/* -- trigrams ---------------------------------------------------------------------------------- */

static size_t char_len(const char *p)
{
	unsigned char c = (unsigned char)*p;
	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

size_t search_chars(const char *text, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i += char_len(text + i))
		n++;
	return n;
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
	size_t count = search_chars(text, len) - 2, step = (count + TRIGRAMS_MAX - 1) / TRIGRAMS_MAX;
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

static enum rank rank_in(const char *value, size_t len, const char *text, size_t text_len)
{
	enum rank best = RANK_NONE;
	const char *end = value + len;
	for (const char *p = value; (p = memmem(p, (size_t)(end - p), text, text_len)) != NULL; p++) {
		enum rank rank = RANK_INSIDE;
		if (p == value)
			rank = text_len == len ? RANK_WHOLE : RANK_BEGIN;
		else if (!is_word_sign(p[-1]))
			rank = RANK_WORD;
		best = rank < best ? rank : best;
	}
	return best;
}

/* The best of the lines of one field. */
static void compare_field(struct search *search, enum search_by by, const char *lines, size_t len,
                          struct hit *hit)
{
	const struct buf *text = by == BY_PHONE ? &search->digits : &search->text;
	if (text->len == 0)
		return;
	for (const char *line = lines, *end; line < lines + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(lines + len - line));
		end = end ? end : lines + len;
		size_t line_len = (size_t)(end - line);
		enum rank rank = rank_in(line, line_len, text->data, text->len);
		if (rank < hit->rank || (rank == hit->rank && rank != RANK_NONE && line_len < hit->len)) {
			hit->rank = rank;
			hit->by = by;
			hit->len = line_len;
			hit->value = arena_strndup(search->arena, line, line_len);
		}
	}
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

/* A row of the folded copy: the customer's id, then the fields in the order of enum search_by. */
static void compare_row(struct search *search, struct db_query *query)
{
	struct hit hit = {.id = db_int(query, 0), .rank = RANK_NONE};
	for (int by = BY_NAME; by < BY_COUNT; by++) {
		size_t len;
		const char *lines = search->by == BY_ALL || search->by == (enum search_by)by
		                            ? db_peek_text(query, by, &len)
		                            : NULL;
		if (lines)
			compare_field(search, (enum search_by)by, lines, len, &hit);
	}
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

#define FOLDED                                                                                               \
	"SELECT t.customer, t.name, t.dba, t.number, t.account, t.address, t.city, t.state, t.phone,"        \
	" t.email, t.equipment, t.contact FROM "

static bool is_short(const struct search *search)
{
	return search_chars(search->text.data, search->text.len) < SHORT;
}

/* A few of each do where the trigrams find the rest. */
static bool find_directly(struct search *search, const char *sql, const char *text)
{
	struct db_query *query = db_query(search->store->db, sql);
	int64_t limit = search->enough == SIZE_MAX ? -1 : (int64_t)search->enough;
	db_bind_text(query, 1, text);
	db_bind_int(query, 2, is_short(search) ? limit : ENOUGH / 4);
	bool good = compare_rows(search, query, SIZE_MAX);
	search->n_direct = search->n;
	return good;
}

/* What is best of all, found without the trigrams. The number is compared as it is typed. */
static bool find_beginnings(struct search *search, const char *typed)
{
	bool all = search->by == BY_ALL, good = true;
	const char *folded = buf_text(&search->text);
	if (all || search->by == BY_NUMBER)
		good = find_directly(search,
		                     FOLDED "customer c JOIN search_text t ON t.customer = c.id"
		                            " WHERE c.number >= ?1 AND c.number < ?1 || char(0x10FFFF)"
		                            " ORDER BY c.number LIMIT ?2",
		                     typed);
	if (good && (all || search->by == BY_NAME))
		good = find_directly(search,
		                     FOLDED
		                     "search_text t WHERE t.name >= ?1 AND t.name < ?1 || char(0x10FFFF)"
		                     " ORDER BY t.name LIMIT ?2",
		                     folded);
	if (good && (all || search->by == BY_STATE))
		good = find_directly(search, FOLDED "search_text t WHERE t.state = ?1 LIMIT ?2", folded);
	return good;
}

/* `{city} : ("den" AND "env")`; a phone number among all is one more alternative. */
static void add_expression(const struct search *search, struct buf *out)
{
	bool text = search->by != BY_PHONE && search_chars(search->text.data, search->text.len) >= SHORT;
	bool digits = search->digits.len >= SHORT;
	if (text) {
		if (search->by != BY_ALL)
			buf_printf(out, "{%s} : ", search_by_name(search->by));
		buf_adds(out, "(");
		search_trigrams(out, search->text.data, search->text.len);
		buf_adds(out, ")");
	}
	if (digits) {
		buf_printf(out, "%s{phone} : (", text ? " OR " : "");
		search_trigrams(out, search->digits.data, search->digits.len);
		buf_adds(out, ")");
	}
}

static bool find_inside(struct search *search)
{
	struct buf expression = {0};
	add_expression(search, &expression);
	bool good = true;
	if (expression.len > 0) {
		struct db_query *query =
		        db_query(search->store->db, FOLDED "search s JOIN search_text t ON t.customer ="
		                                           " s.rowid WHERE search MATCH ?1");
		db_bind_text_n(query, 1, expression.data, expression.len);
		good = compare_rows(search, query, search->enough);
	}
	buf_free(&expression);
	return good;
}

/* Fewer than three characters: only a whole number or state. */
static bool find_short(struct search *search, const char *typed)
{
	if (!find_beginnings(search, typed))
		return false;
	size_t kept = 0;
	for (size_t i = 0; i < search->n; i++) {
		const struct hit *hit = &search->hits[i];
		if (hit->rank <= RANK_WHOLE && (hit->by == BY_NUMBER || hit->by == BY_STATE))
			search->hits[kept++] = *hit;
	}
	search->n = kept;
	return true;
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
	static const char *const keys[] = {"number", "name", "dba", "city", "state", "phone", "status"};
	struct db_query *query =
	        db_query(store->db,
	                 "SELECT number, name, dba, city, state, phone, status FROM customer WHERE id = ?1");
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

static bool results(struct search *search, int limit, json_t *array)
{
	if (search->n > 0)
		qsort(search->hits, search->n, sizeof *search->hits, by_rank);
	for (size_t i = 0; i < search->n && (limit <= 0 || i < (size_t)limit); i++) {
		const struct hit *hit = &search->hits[i];
		json_t *object;
		if (!search_summary(search->store, hit->id, &object, search->err))
			return false;
		(void)json_object_set_new(object, "matched", json_string(search_by_name(hit->by)));
		(void)json_object_set_new(object, "value", json_string(hit->value));
		(void)json_array_append_new(array, object);
	}
	return true;
}

/* -- the search -------------------------------------------------------------------------------- */

/* Whether it may be a phone number: digits, and what people put between them. */
static bool phone_like(const char *text)
{
	return text[strspn(text, "0123456789 +-()./")] == '\0';
}

static bool prepare(struct search *search, const char *text)
{
	size_t len = strlen(text);
	if (!utf8_valid(text, len))
		return error_set(search->err, EX_DATAERR, "the text to search is not valid UTF-8");
	fold_text(text, len, &search->text);
	if (search->by == BY_PHONE || (search->by == BY_ALL && phone_like(text)))
		fold_digits(text, len, &search->digits);
	if (search->text.len == 0)
		return error_set(search->err, EX_DATAERR, "the text to search is empty");
	return search_chars(search->text.data, search->text.len) <= TEXT_MAX_CHARS ||
	       error_set(search->err, EX_DATAERR, "the text to search is longer than %d characters",
	                 (int)TEXT_MAX_CHARS);
}

static bool run(struct search *search, const char *text)
{
	if (!prepare(search, text))
		return false;
	text += strspn(text, " ");
	if (is_short(search))
		return find_short(search, text);
	return find_beginnings(search, text) && find_inside(search);
}

bool customers_search(struct customers *store, const char *text, enum search_by by, int limit, json_t **ret,
                      struct error *err)
{
	struct search search = {.store = store, .arena = arena_new(), .by = by, .err = err};
	search.enough = limit <= 0 ? SIZE_MAX : 2 * ((size_t)limit > ENOUGH ? (size_t)limit : ENOUGH);
	json_t *array = json_array();
	bool good = run(&search, text) && results(&search, limit, array);
	buf_free(&search.text);
	buf_free(&search.digits);
	free(search.hits);
	arena_free(search.arena);
	if (good)
		*ret = array;
	else
		json_decref(array);
	return good;
}
