/* SPDX-License-Identifier: MIT */
/*
 * Customers that have something in common with one: a contact's first or last name, the address, a
 * phone or an email. And customers that look as if they had been entered twice.
 *
 * Candidates for each thing come from the trigram index, at most CANDIDATES of them: that bounds
 * the cost of a common name, while rare ones, which are the strongest evidence, are all found.
 */
#include "records/records.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "records/customers_private.h"
#include "records/fold.h"
#include "records/record_find.h"
#include "records/search_private.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { CANDIDATES = 300, KEYS_MAX = 64, TRIGRAM = 3, SHORT_NAME = 2 };

/* What may be shared, with its weight as evidence. */
enum share {
	SHARE_EMAIL,
	SHARE_PHONE,
	SHARE_ADDRESS,
	SHARE_LAST_NAME,
	SHARE_FIRST_NAME,
	SHARE_COUNT
};
static const struct {
	const char *name, *column;
	int weight;
} shares[SHARE_COUNT] = {
        [SHARE_EMAIL] = {.name = "email", .column = "email", .weight = 16},
        [SHARE_PHONE] = {.name = "phone", .column = "phone", .weight = 12},
        [SHARE_ADDRESS] = {.name = "address", .column = "address", .weight = 8},
        [SHARE_LAST_NAME] = {.name = "last_name", .column = "contact", .weight = 4},
        [SHARE_FIRST_NAME] = {.name = "first_name", .column = "contact", .weight = 1},
};

struct key {
	enum share share;
	const char *text;
	size_t len;
};

struct related {
	int64_t id;
	int weight;
	bool shared[SHARE_COUNT];
};

struct relation {
	struct customers *store;
	struct arena *arena;
	int64_t id;
	const char *city;
	struct key keys[KEYS_MAX];
	size_t n_keys;
	struct related *found;
	size_t n, cap;
	struct error *err;
};

/* -- what the customer has --------------------------------------------------------------------- */

static void add_key(struct relation *relation, enum share share, const char *text, size_t len)
{
	struct buf folded = {0};
	if (share == SHARE_PHONE)
		fold_digits(text, len, &folded);
	else
		fold_text(text, len, &folded);
	size_t chars = utf8_length(folded.data, folded.len);
	bool is_short = share >= SHARE_LAST_NAME && chars == SHORT_NAME &&
	                memchr(folded.data, '"', folded.len) == NULL;
	bool useful = (chars >= TRIGRAM || is_short) && relation->n_keys < KEYS_MAX;
	for (size_t i = 0; useful && i < relation->n_keys; i++) {
		const struct key *key = &relation->keys[i];
		useful = key->share != share || key->len != folded.len ||
		         memcmp(key->text, folded.data, folded.len) != 0;
	}
	if (useful)
		relation->keys[relation->n_keys++] = (struct key){
		        .share = share,
		        .text = arena_strndup(relation->arena, folded.data, folded.len),
		        .len = folded.len};
	buf_free(&folded);
}

static void add_column(struct relation *relation, enum share share, struct db_query *query,
                       int column)
{
	size_t len;
	const char *text = db_peek_text(query, column, &len);
	if (len > 0)
		add_key(relation, share, text, len);
}

/* A contact that has only a whole name: its first and last word. */
static void add_names(struct relation *relation, struct db_query *query)
{
	size_t len;
	const char *name = db_peek_text(query, 2, &len);
	add_column(relation, SHARE_FIRST_NAME, query, 0);
	add_column(relation, SHARE_LAST_NAME, query, 1);
	if (len == 0 || !db_is_null(query, 0) || !db_is_null(query, 1))
		return;
	const char *first = memchr(name, ' ', len), *last = memrchr(name, ' ', len);
	if (first)
		add_key(relation, SHARE_FIRST_NAME, name, (size_t)(first - name));
	if (last)
		add_key(relation, SHARE_LAST_NAME, last + 1, (size_t)(name + len - last - 1));
	else
		add_key(relation, SHARE_LAST_NAME, name, len);
}

static bool gather_contacts(struct relation *relation)
{
	struct db_query *query =
	        db_query(relation->store->db,
	                 "SELECT first_name, last_name, name, email, alt_email, home_phone,"
	                 " cell_phone, work_phone FROM contact WHERE customer = ?1 ORDER BY id");
	enum db_step step;
	db_bind_int(query, 1, relation->id);
	while ((step = db_step(query, relation->err)) == DB_ROW) {
		add_names(relation, query);
		add_column(relation, SHARE_EMAIL, query, 3);
		add_column(relation, SHARE_EMAIL, query, 4);
		for (int column = 5; column < 8; column++)
			add_column(relation, SHARE_PHONE, query, column);
	}
	return step == DB_DONE;
}

static bool gather(struct relation *relation)
{
	struct db_query *query = db_query(
	        relation->store->db, "SELECT c.address, c.phone, t.city FROM customer c LEFT JOIN "
	                             "search_text t ON t.customer = c.id WHERE c.id = ?1");
	db_bind_int(query, 1, relation->id);
	enum db_step step = db_step(query, relation->err);
	if (step != DB_ROW)
		return step == DB_DONE;
	add_column(relation, SHARE_ADDRESS, query, 0);
	add_column(relation, SHARE_PHONE, query, 1);
	relation->city = db_text(query, 2, relation->arena);
	db_finish(query);
	return gather_contacts(relation);
}

/* -- who has it, too --------------------------------------------------------------------------- */

static bool has_line(const char *lines, size_t len, const struct key *key, bool words)
{
	for (const char *p = lines;
	     (p = memmem(p, (size_t)(lines + len - p), key->text, key->len)) != NULL; p++) {
		char before = p == lines ? '\n' : p[-1],
		     after = p + key->len == lines + len ? '\n' : p[key->len];
		if ((before == '\n' || (words && before == ' ')) &&
		    (after == '\n' || (words && after == ' ')))
			return true;
	}
	return false;
}

/* A candidate's row: id, email, phone, address, contact, city. */
static void compare(struct relation *relation, struct db_query *query)
{
	static const int columns[SHARE_COUNT] = {1, 2, 3, 4, 4};
	struct related related = {.id = db_int(query, 0)};
	if (related.id == relation->id)
		return;
	for (size_t i = 0; i < relation->n; i++) {
		if (relation->found[i].id == related.id)
			return;
	}
	const char *city = db_text(query, 5, relation->arena);
	bool elsewhere =
	        *city != '\0' && *relation->city != '\0' && strcmp(city, relation->city) != 0;
	for (size_t i = 0; i < relation->n_keys; i++) {
		const struct key *key = &relation->keys[i];
		size_t len;
		const char *lines = db_peek_text(query, columns[key->share], &len);
		if (lines == NULL || related.shared[key->share] ||
		    (key->share == SHARE_ADDRESS && elsewhere) ||
		    !has_line(lines, len, key, key->share >= SHARE_LAST_NAME))
			continue;
		related.shared[key->share] = true;
		related.weight += shares[key->share].weight;
	}
	if (related.weight == 0)
		return;
	if (relation->n == relation->cap) {
		relation->cap = relation->cap ? relation->cap * 2 : 64;
		relation->found =
		        mem_realloc(relation->found, relation->cap, sizeof *relation->found);
	}
	relation->found[relation->n++] = related;
}

static bool follow(struct relation *relation, const struct buf *expression)
{
	struct db_query *query =
	        db_query(relation->store->db,
	                 "SELECT t.customer, t.email, t.phone, t.address, t.contact, t.city"
	                 " FROM search s JOIN search_text t ON t.customer = s.rowid"
	                 " WHERE search MATCH ?1 LIMIT ?2");
	enum db_step step;
	db_bind_text_n(query, 1, expression->data, expression->len);
	db_bind_int(query, 2, CANDIDATES);
	while ((step = db_step(query, relation->err)) == DB_ROW)
		compare(relation, query);
	return step == DB_DONE;
}

/* A name of two characters is a trigram with what parts it from the next one. */
static void add_short(struct buf *out, const struct key *key)
{
	static const char *const around[][2] = {{"", " "}, {"", "\n"}, {" ", ""}, {"\n", ""}};
	for (size_t i = 0; i < sizeof around / sizeof around[0]; i++)
		buf_printf(out, "%s\"%s%.*s%s\"", i > 0 ? " OR " : "", around[i][0], (int)key->len,
		           key->text, around[i][1]);
}

static void add_expression(struct buf *out, const struct key *key)
{
	buf_printf(out, "%s{%s} : (", out->len > 0 ? " AND " : "", shares[key->share].column);
	if (utf8_length(key->text, key->len) >= TRIGRAM)
		search_trigrams(out, key->text, key->len);
	else
		add_short(out, key);
	buf_adds(out, ")");
}

static bool follow_keys(struct relation *relation)
{
	struct buf expression = {0};
	bool good = true;
	for (size_t i = 0; good && i < relation->n_keys; i++) {
		const struct key *key = &relation->keys[i];
		const struct key *next = i + 1 < relation->n_keys ? key + 1 : NULL;
		/* A first name and the last name behind it: both together before each for
		 * itself. */
		if (next && key->share == SHARE_FIRST_NAME && next->share == SHARE_LAST_NAME) {
			buf_reset(&expression);
			add_expression(&expression, key);
			add_expression(&expression, next);
			good = follow(relation, &expression);
		}
		buf_reset(&expression);
		add_expression(&expression, key);
		good = good && follow(relation, &expression);
	}
	buf_free(&expression);
	return good;
}

static int by_weight(const void *a, const void *b)
{
	const struct related *x = a, *y = b;
	return x->weight != y->weight ? y->weight - x->weight : (x->id > y->id) - (x->id < y->id);
}

static bool results(struct relation *relation, int limit, json_t *array)
{
	if (relation->n > 0)
		qsort(relation->found, relation->n, sizeof *relation->found, by_weight);
	for (size_t i = 0; i < relation->n && (limit <= 0 || i < (size_t)limit); i++) {
		json_t *object, *names = json_array();
		for (int share = 0; share < SHARE_COUNT; share++) {
			if (relation->found[i].shared[share])
				(void)json_array_append_new(names, json_string(shares[share].name));
		}
		if (!search_summary(relation->store, relation->found[i].id, &object,
		                    relation->err)) {
			json_decref(names);
			return false;
		}
		(void)json_object_set_new(object, "shares", names);
		(void)json_array_append_new(array, object);
	}
	return true;
}

bool customers_related(struct customers *store, const char *number, int limit, json_t **ret,
                       struct error *err)
{
	struct relation relation = {.store = store, .arena = arena_new(), .city = "", .err = err};
	json_t *array = json_array();
	bool good = record_find(store, kind_find("customer"), number, &relation.id, err) &&
	            gather(&relation) && follow_keys(&relation) && results(&relation, limit, array);
	free(relation.found);
	arena_free(relation.arena);
	if (good)
		*ret = array;
	else
		json_decref(array);
	return good;
}

/* -- duplicates -------------------------------------------------------------------------------- */

/* A folded name as it is compared: without punctuation and blanks, and without what only says how a
 * firm is registered: "acme waste inc." and "acme waste, inc" are one. A name that is nothing else
 * stays. */
#define STRIP(text, sign) "replace(" text ", '" sign "', ' ')"
#define NO_DOTS(text)     "replace(replace(" text ", '.', ''), char(39), '')"
#define PLAIN(text)                                                                                \
	STRIP(STRIP(STRIP(STRIP(STRIP(STRIP(NO_DOTS(text), ","), "-"), "("), ")"), "/"), "&")
#define DROP(text, word) "replace(" text ", ' " word " ', ' ')"
#define NO_FORM(text)                                                                              \
	DROP(DROP(DROP(DROP(DROP(DROP(DROP(DROP(text, "inc"), "llc"), "ltd"), "corp"), "co"),      \
	               "gmbh"),                                                                    \
	          "incorporated"),                                                                 \
	     "limited")
#define NAME_KEY(text)                                                                             \
	"coalesce(nullif(replace(" NO_FORM(                                                        \
	        "' ' || " PLAIN(text) " || ' '") ", ' ', ''), ''), " text ")"

/* The strongest signs first. `whole` families are not duplicates of themselves: a site has its
 * parent's phone. */
static const struct {
	const char *share, *sql;
	bool whole;
} signs[] = {
        {.share = "name",
         .sql = "SELECT min(name) || coalesce(', ' || city, ''), group_concat(customer) FROM "
                "search_text WHERE name IS NOT NULL GROUP BY " NAME_KEY(
                        "name") ", city HAVING count(*) > 1"},
        {.share = "account",
         .whole = true,
         .sql = "SELECT account, group_concat(customer) FROM search_text WHERE account IS NOT NULL"
                " GROUP BY account HAVING count(*) > 1"},
        {.share = "email",
         .whole = true,
         .sql = "SELECT value, group_concat(DISTINCT customer) FROM (SELECT lower(email) AS value, "
                "customer FROM contact WHERE email IS NOT NULL UNION ALL SELECT lower(alt_email), "
                "customer FROM contact WHERE alt_email IS NOT NULL) GROUP BY value HAVING "
                "min(customer) <> max(customer)"},
        {.share = "phone", /* digits, a line each */
         .whole = true,
         .sql = "SELECT value, group_concat(DISTINCT customer) FROM (SELECT phone AS value, "
                "customer FROM search_text WHERE instr(phone, char(10)) = 0 UNION ALL SELECT "
                "p.value, customer FROM search_text, json_each('[\"' || replace(phone, char(10), "
                "'\",\"') || '\"]') p WHERE instr(phone, char(10)) > 0) GROUP BY value HAVING "
                "min(customer) <> max(customer)"},
        {.share = "address",
         .sql = "SELECT address || coalesce(', ' || city, ''), group_concat(customer) FROM "
                "search_text WHERE address IS NOT NULL GROUP BY address, city HAVING count(*) > 1"},
};

/* What is above a customer, itself first, nearest first; 0 behind the last. */
struct line {
	int64_t id[CUSTOMER_DEPTH_MAX + 1];
};

static bool line_of(struct customers *store, int64_t id, struct line *ret, struct error *err)
{
	*ret = (struct line){0};
	for (int depth = 0; id != 0 && depth < CUSTOMER_DEPTH_MAX; depth++) {
		ret->id[depth] = id;
		struct db_query *query =
		        db_query(store->db, "SELECT parent FROM customer WHERE id = ?1");
		db_bind_int(query, 1, id);
		if (!db_run_int(query, 0, &id, err))
			return false;
	}
	return true;
}

static int64_t top_of(const struct line *line)
{
	int depth = 0;
	while (line->id[depth + 1] != 0)
		depth++;
	return line->id[depth];
}

static bool is_above(int64_t id, const struct line *line)
{
	for (int depth = 1; line->id[depth] != 0; depth++)
		if (line->id[depth] == id)
			return true;
	return false;
}

static bool one_lineage(const struct line *a, const struct line *b)
{
	return is_above(a->id[0], b) || is_above(b->id[0], a);
}

enum { MEMBERS_MAX = 200 };

/* Without those that share it only with what is above or below them; none where all are one family
 * and that says nothing. */
static bool read_members(struct customers *store, const char *ids, bool whole, struct line *members,
                         size_t *ret_n, struct error *err)
{
	struct line all[MEMBERS_MAX];
	size_t n = 0, kept = 0;
	bool one_family = true;
	for (const char *p = ids; p && *p && n < MEMBERS_MAX; n++) {
		char *end;
		if (!line_of(store, strtoll(p, &end, 10), &all[n], err))
			return false;
		one_family = one_family && top_of(&all[n]) == top_of(&all[0]);
		p = *end == ',' ? end + 1 : end + strlen(end);
	}
	for (size_t i = 0; i < n && !(whole && one_family); i++) {
		bool doubled = false;
		for (size_t k = 0; k < n && !doubled; k++)
			doubled = k != i && !one_lineage(&all[i], &all[k]);
		if (doubled)
			members[kept++] = all[i];
	}
	*ret_n = kept;
	return true;
}

static bool add_group(struct customers *store, size_t sign, struct db_query *query, json_t *array,
                      struct error *err)
{
	struct line members[MEMBERS_MAX];
	size_t n;
	const char *value = db_peek_text(query, 0, NULL);
	json_t *list = json_array(), *text = json_string(value);
	json_t *group = json_pack("{s:s, s:o, s:o}", "shares", signs[sign].share, "value",
	                          text ? text : json_null(), "customers", list);
	bool good = read_members(store, db_peek_text(query, 1, NULL), signs[sign].whole, members,
	                         &n, err);
	for (size_t i = 0; good && n > 1 && i < n; i++) {
		json_t *object;
		good = search_summary(store, members[i].id[0], &object, err) &&
		       json_array_append_new(list, object) == 0;
	}
	if (good && n > 1)
		(void)json_array_append(array, group);
	json_decref(group);
	return good;
}

bool customers_duplicates(struct customers *store, int limit, json_t **ret, struct error *err)
{
	json_t *array = json_array();
	bool good = true;
	for (size_t i = 0; good && i < sizeof signs / sizeof signs[0]; i++) {
		struct db_query *query = db_query(store->db, signs[i].sql);
		enum db_step step = DB_DONE;
		bool full = limit > 0 && json_array_size(array) >= (size_t)limit;
		while (good && !full && (step = db_step(query, err)) == DB_ROW) {
			good = add_group(store, i, query, array, err);
			full = limit > 0 && json_array_size(array) >= (size_t)limit;
		}
		good = good && (full || step == DB_DONE);
		db_finish(query);
	}
	if (good)
		*ret = array;
	else
		json_decref(array);
	return good;
}

/* -- one that is about to be added ------------------------------------------------------------- */

enum { LIKE_CANDIDATES = 5000, LIKE_MAX = 5 };

/* The longest run of letters and digits: few others have it. False where none is long enough to be
 * searched. */
static bool longest_word(const char *text, size_t len, const char **ret, size_t *ret_len)
{
	*ret_len = 0;
	for (size_t i = 0; i < len;) {
		size_t n = strcspn(text + i, " .,-()/&'\"");
		n = n > len - i ? len - i : n;
		if (n > *ret_len) {
			*ret = text + i;
			*ret_len = n;
		}
		i += n + 1;
	}
	return *ret_len > 0 && utf8_length(*ret, *ret_len) >= TRIGRAM;
}

static const char like_sql[] =
        "SELECT t.customer FROM search_text t WHERE t.customer IN (SELECT rowid FROM search WHERE "
        "search MATCH ?1 LIMIT ?4) AND " NAME_KEY("t.name") " = " NAME_KEY(
                "?2") " AND (t.city IS NULL OR ?3 IS NULL OR t.city = ?3) ORDER BY t.customer";

static bool add_alike(struct customers *store, struct db_query *query, const struct line *above,
                      json_t *array, struct error *err)
{
	enum db_step step = DB_DONE;
	bool good = true;
	while (good && json_array_size(array) < LIKE_MAX &&
	       (step = db_step(query, err)) == DB_ROW) {
		json_t *object;
		int64_t id = db_int(query, 0);
		if (above->id[0] == id || is_above(id, above))
			continue;
		good = search_summary(store, id, &object, err) &&
		       json_array_append_new(array, object) == 0;
	}
	db_finish(query);
	return good && step != DB_FAULT;
}

/* `name` and `city` are folded. */
static bool find_alike(struct customers *store, const struct buf *name, const struct buf *city,
                       const struct line *above, json_t *array, struct error *err)
{
	const char *word;
	size_t len;
	if (!longest_word(buf_text(name), name->len, &word, &len))
		return true;
	struct buf expression = {0};
	buf_adds(&expression, "{name} : (");
	search_trigrams(&expression, word, len);
	buf_adds(&expression, ")");
	struct db_query *query = db_query(store->db, like_sql);
	db_bind_text_n(query, 1, expression.data, expression.len);
	db_bind_text_n(query, 2, name->data, name->len);
	if (city->len > 0)
		db_bind_text_n(query, 3, city->data, city->len);
	db_bind_int(query, 4, LIKE_CANDIDATES);
	bool good = add_alike(store, query, above, array, err);
	buf_free(&expression);
	return good;
}

bool customers_like(struct customers *store, const char *name, const char *city, const char *parent,
                    json_t **ret, struct error *err)
{
	struct buf folded = {0}, place = {0};
	struct line above = {0};
	int64_t id = 0;
	json_t *array = json_array();
	fold_text(name, strlen(name), &folded);
	if (city)
		fold_text(city, strlen(city), &place);
	bool good = (parent == NULL ||
	             (customer_id(store, parent, &id, err) && line_of(store, id, &above, err))) &&
	            find_alike(store, &folded, &place, &above, array, err);
	buf_free(&folded);
	buf_free(&place);
	if (good)
		*ret = array;
	else
		json_decref(array);
	return good;
}
