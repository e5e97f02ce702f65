/* SPDX-License-Identifier: MIT */
/* A customer with all that hangs on it, and the list of customers. */
#include "records/records.h"

#include "records/customers_private.h"
#include "records/record_find.h"
#include "records/record_rep.h"
#include "records/record_suspension.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key, *kind;
} parts[] = {
        {.key = "contacts", .kind = "contact"},
        {.key = "suspensions", .kind = "suspension"},
        {.key = "notes", .kind = "note"},
        {.key = "comments", .kind = "comment"},
        {.key = "assets", .kind = "asset"},
        {.key = "systems", .kind = "system"},
        {.key = "third_parties", .kind = "third-party"},
        {.key = "activities", .kind = "activity"},
        {.key = "quotes", .kind = "quote"},
        {.key = "sales", .kind = "sale"},
        {.key = "documents", .kind = "document"},
        {.key = "pictures", .kind = "picture"},
};

static bool texts_json(struct customers *store, const char *sql, const char *number, json_t **ret,
                       struct error *err)
{
	struct db_query *query = db_query(store->db, sql);
	db_bind_text(query, 1, number);
	return query_texts(query, ret, err);
}

static bool add_views(struct customers *store, const char *number, json_t *object,
                      struct error *err)
{
	json_t *view;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (!records_list(store, kind_find(parts[i].kind), number, &view, err) ||
		    json_object_set_new(object, parts[i].key, view) != 0)
			return false;
	}
	return hours_show(store, number, &view, err) &&
	       json_object_set_new(object, "hours", view) == 0 &&
	       texts_json(store,
	                  "SELECT s.number FROM customer s JOIN customer p ON s.parent = p.id "
	                  "WHERE p.number = ?1 ORDER BY s.number",
	                  number, &view, err) &&
	       json_object_set_new(object, "sites", view) == 0 &&
	       texts_json(store,
	                  "SELECT r.name FROM rep r JOIN customer_rep cr ON cr.rep = r.id JOIN "
	                  "customer c ON c.id = cr.customer WHERE c.number = ?1 ORDER BY r.name = "
	                  "c.sales_rep DESC, r.name",
	                  number, &view, err) &&
	       json_object_set_new(object, "reps", view) == 0 &&
	       texts_json(
	               store,
	               "SELECT f.number FROM former_number f JOIN customer c ON c.id = f.customer"
	               " WHERE c.number = ?1 ORDER BY f.number",
	               number, &view, err) &&
	       json_object_set_new(object, "former_numbers", view) == 0;
}

bool customer_show(struct customers *store, const char *number, json_t **ret, struct error *err)
{
	json_t *object = NULL;
	bool mine = !db_in_transaction(store->db); /* one view of all its parts */
	if (mine && !customers_begin_read(store, err))
		return false;
	bool good =
	        records_show(store, kind_find("customer"), number, &object, err) &&
	        add_views(store, json_string_value(json_object_get(object, "number")), object, err);
	if (mine)
		customers_end_read(store);
	if (good)
		*ret = object;
	else
		json_decref(object);
	return good;
}

static json_t *text_or_null(struct db_query *query, int column)
{
	const char *text = db_peek_text(query, column, NULL);
	json_t *value = text ? json_string(text) : NULL;
	return value ? value : json_null();
}

/* ?5 is the number of the row that came before. Who may be suspended (?8): who has ever been, and
 * all below them. */
#define LIST_SQL(behind, order)                                                                    \
	"SELECT number, name, dba, city, state, status, phone, sales_rep, id FROM customer c"      \
	" WHERE (?1 IS NULL OR id IN (" SQL_LOOKED_AFTER ")) AND (?2 IS NULL OR parent = (SELECT"  \
	" id FROM customer WHERE number = ?2)) AND (?3 IS NULL OR status = ?3)"                    \
	" AND (?5 IS NULL OR " behind ") AND (?6 IS NULL OR city = ?6 COLLATE NOCASE)"             \
	" AND (?7 IS NULL OR number IN (SELECT value FROM json_each(?7)))"                         \
	" AND (NOT ?8 OR id IN (WITH RECURSIVE held (id) AS (SELECT customer FROM suspension"      \
	" UNION SELECT s.id FROM customer s JOIN held ON s.parent = held.id) SELECT id FROM"       \
	" held)) ORDER BY " order " LIMIT ?4"
#define PLACE(column) column " IS NULL, coalesce(" column ", '') COLLATE NOCASE, number"
#define BEHIND(column)                                                                             \
	"(" PLACE(column) ") > (SELECT " PLACE(column) " FROM customer WHERE number = ?5)"
#define LIST_SQL_BY(column) LIST_SQL(BEHIND(column), PLACE(column))

const char *const customer_sorts[] = {"name", "city", "status", "sales_rep", "renewal", NULL};
static const char *const list_sql[] = {LIST_SQL_BY("name"),    LIST_SQL_BY("city"),
                                       LIST_SQL_BY("status"),  LIST_SQL_BY("sales_rep"),
                                       LIST_SQL_BY("renewal"), LIST_SQL("number > ?5", "number")};

/* The last of them for any other word. */
static const char *list_sql_of(const char *sort)
{
	size_t i = 0;
	while (customer_sorts[i] && (sort == NULL || strcmp(customer_sorts[i], sort) != 0))
		i++;
	return list_sql[i];
}

static bool list_one(struct customers *store, const struct customer_filter *filter,
                     struct db_query *query, json_t *array, struct error *err)
{
	static const char *const keys[] = {"number", "name",   "dba",   "city",
	                                   "state",  "status", "phone", "sales_rep"};
	enum { KEYS = sizeof keys / sizeof keys[0] };
	bool suspended;
	if (!customer_suspended(store, db_int(query, KEYS), filter->default_zone, filter->now,
	                        &suspended, err))
		return false;
	if (filter->suspended && !suspended)
		return true;
	json_t *object = json_object();
	for (int i = 0; i < KEYS; i++)
		(void)json_object_set_new_nocheck(object, keys[i], text_or_null(query, i));
	(void)json_object_set_new_nocheck(object, "suspended", json_boolean(suspended));
	(void)json_array_append_new(array, object);
	return true;
}

/* Whether they are suspended is known of each row alone, so that SQL can't count them. */
static bool is_full(const struct customer_filter *filter, const json_t *array)
{
	return filter->limit > 0 && (int64_t)json_array_size(array) >= filter->limit;
}

/* The numbers of those that have the text, as a JSON array; NULL where there is no text to find.
 * The caller's. */
static bool numbers_found(struct customers *store, const char *text, char **ret, struct error *err)
{
	json_t *rows, *row, *numbers;
	size_t i;
	*ret = NULL;
	if (text == NULL)
		return true;
	if (!customers_search(store, text, BY_ALL, LISTED_FOUND_MAX, &rows, err))
		return false;
	numbers = json_array();
	json_array_foreach(rows, i, row) json_array_append(numbers, json_object_get(row, "number"));
	*ret = json_dumps(numbers, JSON_COMPACT);
	json_decref(numbers);
	json_decref(rows);
	return true;
}

bool customer_list(struct customers *store, const struct customer_filter *filter, json_t **ret,
                   struct error *err)
{
	char *numbers;
	if (!numbers_found(store, filter->text, &numbers, err))
		return false;
	struct db_query *query = db_query(store->db, list_sql_of(filter->sort));
	json_t *array = json_array();
	enum db_step step = DB_DONE;
	bool good = true;
	db_bind_text(query, 1, filter->rep);
	db_bind_text(query, 2, filter->parent);
	db_bind_text(query, 3, filter->status);
	db_bind_int(query, 4, filter->limit > 0 && !filter->suspended ? filter->limit : -1);
	db_bind_text(query, 5, filter->after);
	db_bind_text(query, 6, filter->city);
	db_bind_text(query, 7, numbers);
	db_bind_int(query, 8, filter->suspended);
	free(numbers);
	while (good && !is_full(filter, array) && (step = db_step(query, err)) == DB_ROW)
		good = list_one(store, filter, query, array, err);
	if (!good || step == DB_ROW)
		db_finish(query);
	if (good && step != DB_FAULT) {
		*ret = array;
		return true;
	}
	json_decref(array);
	return false;
}

bool customer_below(struct customers *store, const char *number, json_t **ret, struct error *err)
{
	int64_t id;
	if (!record_find(store, kind_find("customer"), number, &id, err))
		return false;
	struct db_query *query = db_query(
	        store->db,
	        "WITH RECURSIVE below (id, depth) AS (SELECT ?1, 1 UNION ALL SELECT c.id, depth + "
	        "1 "
	        "FROM customer c JOIN below ON c.parent = below.id WHERE depth < 8) SELECT "
	        "c.number FROM below JOIN customer c ON c.id = below.id ORDER BY depth, c.number");
	db_bind_int(query, 1, id);
	return query_texts(query, ret, err);
}

bool customer_version(struct customers *store, int64_t id, int64_t *ret, struct error *err)
{
	struct db_query *query =
	        db_query(store->db, "SELECT max(id) FROM change WHERE customer IS ?1 AND kind = "
	                            "'customer' AND record = ?1");
	db_bind_int(query, 1, id);
	return db_run_int(query, 0, ret, err);
}

bool customer_ancestors(struct customers *store, int64_t id, int64_t *ret, size_t max,
                        struct error *err)
{
	for (size_t i = 1; i < max; i++)
		ret[i] = 0;
	for (size_t i = 1; i < max && id != 0; i++) {
		struct db_query *query =
		        db_query(store->db, "SELECT parent FROM customer WHERE id = ?1");
		db_bind_int(query, 1, id);
		if (!db_run_int(query, 0, &id, err))
			return false;
		ret[i] = id;
	}
	return true;
}
