/* SPDX-License-Identifier: MIT */
/* Customers: their status, their sites, their first contact, and the views of all that hangs on one. */
#include "records/record_private.h"

#include <string.h>
#include <sysexits.h>

/* -- status ------------------------------------------------------------------------------------ */

/* The moves that there are, a manager's work unless marked. Whatever changes a status, by verb, by field or
 * by import, goes by these. */
static const struct {
	const char *from, *to, *verb;
	bool anybody;
} moves[] = {
        {.from = "new", .to = "released", .verb = "release", .anybody = true},
        {.from = "released", .to = "active", .verb = "approve"},
        {.from = "released", .to = "new", .verb = "decline"},
        {.from = "active", .to = "inactive", .verb = "deactivate"},
        {.from = "inactive", .to = "active", .verb = "approve"},
};

static bool check_status(struct work *work, const char *from, const char *to)
{
	if (strcmp(from, to) == 0)
		return true;
	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		if (strcmp(moves[i].from, from) == 0 && strcmp(moves[i].to, to) == 0)
			return moves[i].anybody || work_needs_manager(work, "status");
	}
	return work_needs_manager(work, "status") &&
	       error_set(work->err, EX_DATAERR,
	                 "status: can't go from %s to %s (new, released, active; active and inactive)", from,
	                 to);
}

static bool known_verb(const char *verb, bool *ret_anybody)
{
	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		if (strcmp(moves[i].verb, verb) != 0)
			continue;
		*ret_anybody = moves[i].anybody;
		return true;
	}
	return false;
}

static bool move_to(struct work *work, const struct row *row, const char *verb)
{
	const char *status = row_value(row, "status");
	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		if (strcmp(moves[i].verb, verb) != 0 || strcmp(moves[i].from, status) != 0)
			continue;
		json_t *values = json_pack("{s:s}", "status", moves[i].to);
		bool good = record_put(work, row, values, NULL, NULL);
		json_decref(values);
		return good;
	}
	return error_set(work->err, EX_DATAERR, "%s: customer %s is %s", verb, row_value(row, "number"),
	                 status);
}

bool customer_move(const struct act *act, const char *number, const char *verb, struct error *err)
{
	const struct kind *kind = kind_find("customer");
	struct work work;
	struct row row;
	int64_t id;
	bool anybody;
	if (!known_verb(verb, &anybody))
		return error_set(err, EX_USAGE, "%s: release, approve, decline or deactivate was meant",
		                 verb);
	return work_begin(&work, act, err) &&
	       work_end(&work, (anybody || work_needs_manager(&work, verb)) &&
	                               record_find(work.store, kind, number, &id, err) &&
	                               row_get(work.store, work.arena, kind, id, &row, err) &&
	                               move_to(&work, &row, verb));
}

/* -- sites ------------------------------------------------------------------------------------- */

/* How deep a parent lies below the top (1: it is the top), and whether `id` is above it. */
static bool depth_of(struct work *work, int64_t parent, int64_t id, int *ret_depth, bool *ret_loop)
{
	*ret_loop = false;
	for (*ret_depth = 0; parent != 0 && *ret_depth <= CUSTOMER_DEPTH_MAX; (*ret_depth)++) {
		*ret_loop = *ret_loop || parent == id;
		struct db_query *query = db_query(work->db, "SELECT parent FROM customer WHERE id = ?1");
		db_bind_int(query, 1, parent);
		if (!db_run_int(query, 0, &parent, work->err))
			return false;
	}
	return true;
}

/* How many levels hang below, itself counted. */
static bool height_of(struct work *work, int64_t id, int64_t *ret)
{
	struct db_query *query =
	        db_query(work->db,
	                 "WITH RECURSIVE below (id, level) AS (SELECT ?1, 1 UNION SELECT c.id, level + 1 "
	                 "FROM customer c"
	                 " JOIN below ON c.parent = below.id WHERE level < 20) SELECT max(level) FROM below");
	db_bind_int(query, 1, id);
	return db_run_int(query, 1, ret, work->err);
}

static bool check_parent(struct work *work, const struct row *before, const char *parent)
{
	int64_t parent_id, height = 1;
	int depth;
	bool loop;
	if (!customer_id(work->store, parent, &parent_id, work->err))
		return false;
	if (parent_id == 0)
		return error_set(work->err, EX_DATAERR, "parent: there is no customer %s", parent);
	if (!depth_of(work, parent_id, before->id, &depth, &loop) ||
	    (before->id != 0 && !height_of(work, before->id, &height)))
		return false;
	if (loop)
		return error_set(work->err, EX_DATAERR,
		                 "parent: %s is the customer itself or one of its own sites", parent);
	return depth + height <= CUSTOMER_DEPTH_MAX ||
	       error_set(work->err, EX_DATAERR, "parent: sites would be more than %d deep",
	                 (int)CUSTOMER_DEPTH_MAX);
}

bool customer_sites_fit(struct work *work, int64_t from, int64_t into, bool *ret)
{
	int64_t height;
	int depth;
	bool loop;
	if (!depth_of(work, into, from, &depth, &loop) || !height_of(work, from, &height))
		return false;
	*ret = depth + height - 1 <= CUSTOMER_DEPTH_MAX;
	return true;
}

/* Where it was called by a number that it had before, its own: the row is written by that. */
static bool name_parent(struct work *work, struct row *after)
{
	int64_t id;
	const char *number;
	bool former = false;
	if (!customer_named(work->store, row_value(after, "parent"), work->arena, &id, &number, &former,
	                    work->err))
		return false;
	row_set(after, "parent", number);
	return true;
}

bool customer_check(struct work *work, const struct row *before, struct row *after, const json_t *values)
{
	const char *parent = row_value(after, "parent"), *was = row_value(before, "parent");
	(void)values;
	if (before->id != 0 && !check_status(work, row_value(before, "status"), row_value(after, "status")))
		return false;
	return parent == NULL || (was && strcmp(was, parent) == 0) ||
	       (check_parent(work, before, parent) && name_parent(work, after));
}

static bool note_hashes(struct work *work, int64_t id)
{
	struct db_query *query = db_query(
	        work->db, "SELECT hash FROM document WHERE customer = ?1 UNION SELECT hash FROM picture"
	                  " WHERE customer = ?1");
	enum db_step step;
	db_bind_int(query, 1, id);
	while ((step = db_step(query, work->err)) == DB_ROW)
		(void)json_array_append_new(work->unused_files, json_string(db_peek_text(query, 0, NULL)));
	return step == DB_DONE;
}

bool customer_removing(struct work *work, const struct row *row)
{
	int64_t sites;
	struct db_query *query = db_query(work->db, "SELECT count(*) FROM customer WHERE parent = ?1");
	db_bind_int(query, 1, row->id);
	if (!db_run_int(query, 0, &sites, work->err))
		return false;
	if (sites > 0)
		return error_set(work->err, EX_DATAERR,
		                 "customer %s has %lld site%s; they have to be moved or removed first",
		                 row_value(row, "number"), (long long)sites, sites == 1 ? "" : "s");
	query = db_query(work->db, "INSERT INTO removed_customer (customer, number) VALUES (?1, ?2)");
	db_bind_int(query, 1, row->id);
	db_bind_text(query, 2, row_value(row, "number"));
	return db_run(query, work->err) && note_hashes(work, row->id);
}

/* -- what comes with its values ---------------------------------------------------------------- */

static bool is_empty(const json_t *value)
{
	return value == NULL || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

/* Contacts and reps (record_contacts.c); `hours` is all of its service hours. */
bool customer_written(struct work *work, const struct row *row, const json_t *values, bool adding,
                      bool *changed)
{
	json_t *hours = json_object_get(values, "hours");
	if (!people_put(work, row, values, adding, changed))
		return false;
	return hours == NULL || (adding && is_empty(hours)) || hours_put(work, row->id, hours, changed);
}

/* -- views ------------------------------------------------------------------------------------- */

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

static bool add_views(struct customers *store, const char *number, json_t *object, struct error *err)
{
	json_t *view;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (!records_list(store, kind_find(parts[i].kind), number, &view, err) ||
		    json_object_set_new(object, parts[i].key, view) != 0)
			return false;
	}
	return hours_show(store, number, &view, err) && json_object_set_new(object, "hours", view) == 0 &&
	       texts_json(store,
	                  "SELECT s.number FROM customer s JOIN customer p ON s.parent = p.id WHERE p.number "
	                  "= ?1"
	                  " ORDER BY s.number",
	                  number, &view, err) &&
	       json_object_set_new(object, "sites", view) == 0 &&
	       texts_json(store,
	                  "SELECT r.name FROM rep r JOIN customer_rep cr ON cr.rep = r.id JOIN customer c"
	                  " ON c.id = cr.customer WHERE c.number = ?1 ORDER BY r.name = c.sales_rep DESC, "
	                  "r.name",
	                  number, &view, err) &&
	       json_object_set_new(object, "reps", view) == 0 &&
	       texts_json(store,
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
	bool good = records_show(store, kind_find("customer"), number, &object, err) &&
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

static const char list_sql[] =
        "SELECT number, name, dba, city, state, status, phone, sales_rep, id FROM customer c"
        " WHERE (?1 IS NULL OR id IN (" SQL_LOOKED_AFTER "))"
        " AND (?2 IS NULL OR parent = (SELECT id FROM customer WHERE number = ?2))"
        " AND (?3 IS NULL OR status = ?3) AND (?5 IS NULL OR number > ?5) ORDER BY number LIMIT ?4";

static bool list_one(struct customers *store, const struct customer_filter *filter, struct db_query *query,
                     json_t *array, struct error *err)
{
	static const char *const keys[] = {"number", "name",   "dba",   "city",
	                                   "state",  "status", "phone", "sales_rep"};
	enum { KEYS = sizeof keys / sizeof keys[0] };
	json_t *object = json_object();
	bool suspended;
	for (int i = 0; i < KEYS; i++)
		(void)json_object_set_new_nocheck(object, keys[i], text_or_null(query, i));
	bool good = customer_suspended(store, db_int(query, KEYS), filter->default_zone, filter->now,
	                               &suspended, err);
	(void)json_object_set_new_nocheck(object, "suspended", json_boolean(good && suspended));
	(void)json_array_append_new(array, object);
	return good;
}

bool customer_list(struct customers *store, const struct customer_filter *filter, json_t **ret,
                   struct error *err)
{
	struct db_query *query = db_query(store->db, list_sql);
	json_t *array = json_array();
	enum db_step step;
	bool good = true;
	db_bind_text(query, 1, filter->rep);
	db_bind_text(query, 2, filter->parent);
	db_bind_text(query, 3, filter->status);
	db_bind_int(query, 4, filter->limit > 0 ? filter->limit : -1);
	db_bind_text(query, 5, filter->after);
	while (good && (step = db_step(query, err)) == DB_ROW)
		good = list_one(store, filter, query, array, err);
	if (!good)
		db_finish(query);
	if (good && step == DB_DONE) {
		*ret = array;
		return true;
	}
	json_decref(array);
	return false;
}
