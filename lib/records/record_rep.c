/* SPDX-License-Identifier: MIT */
/* Sales reps and the customers they are linked with. The first of a customer's reps is its `sales_rep`. */
#include "records/record_private.h"

#include <string.h>
#include <sysexits.h>

/* A rep that is renamed stays the first of its customers. */
bool rep_check(struct work *work, const struct row *before, struct row *after, const json_t *values)
{
	const char *was = row_value(before, "name"), *is = row_value(after, "name");
	(void)values;
	if (before->id == 0 || is == NULL || strcmp(was, is) == 0)
		return true;
	struct db_query *query =
	        db_query(work->db, "UPDATE customer SET sales_rep = ?2 WHERE sales_rep = ?1 AND id IN"
	                           " (SELECT customer FROM customer_rep WHERE rep = ?3)");
	db_bind_text(query, 1, was);
	db_bind_text(query, 2, is);
	db_bind_int(query, 3, before->id);
	return db_run(query, work->err);
}

bool rep_show(struct customers *store, const struct row *row, json_t *object, struct error *err)
{
	int64_t n;
	struct db_query *query = db_query(store->db, "SELECT count(*) FROM (" SQL_LOOKED_AFTER ")");
	db_bind_text(query, 1, row_value(row, "name"));
	return db_run_int(query, 0, &n, err) &&
	       json_object_set_new(object, "customers", json_integer(n)) == 0;
}

struct link {
	struct row customer;
	int64_t rep;
};

static bool find_link(struct work *work, const char *number, const char *rep, struct link *ret)
{
	int64_t id;
	return record_find(work->store, kind_find("customer"), number, &id, work->err) &&
	       row_get(work->store, work->arena, kind_find("customer"), id, &ret->customer, work->err) &&
	       record_find(work->store, kind_find("rep"), rep, &ret->rep, work->err);
}

static bool set_first(struct work *work, const struct link *link, const char *name)
{
	json_t *values = json_object();
	(void)json_object_set_new(values, "sales_rep", name ? json_string(name) : json_null());
	bool good = record_put(work, &link->customer, values, NULL, NULL);
	json_decref(values);
	return good;
}

static bool write_link(struct work *work, int64_t customer, int64_t rep, const char *name, const char *sql,
                       const char *action, bool *ret_changed)
{
	struct db_query *query = db_query(work->db, sql);
	db_bind_int(query, 1, customer);
	db_bind_int(query, 2, rep);
	if (!db_run(query, work->err))
		return false;
	*ret_changed = db_changes(work->db) > 0;
	return !*ret_changed ||
	       change_add(work, "rep", rep, customer, action, NULL, json_pack("{s:s}", "name", name));
}

bool rep_put_link(struct work *work, int64_t customer, int64_t rep, const char *name, bool *ret_linked)
{
	return write_link(work, customer, rep, name,
	                  "INSERT OR IGNORE INTO customer_rep (customer, rep) VALUES (?1, ?2)", "link",
	                  ret_linked);
}

bool rep_link(const struct act *act, const char *number, const char *rep, bool first, struct error *err)
{
	struct work work;
	struct link link;
	bool linked;
	if (!work_begin(&work, act, err))
		return false;
	return work_end(&work, find_link(&work, number, rep, &link) &&
	                               rep_put_link(&work, link.customer.id, link.rep, rep, &linked) &&
	                               (!first || set_first(&work, &link, rep)));
}

bool rep_unlink(const struct act *act, const char *number, const char *rep, struct error *err)
{
	struct work work;
	struct link link;
	bool unlinked;
	if (!work_begin(&work, act, err))
		return false;
	if (!find_link(&work, number, rep, &link))
		return work_end(&work, false);
	const char *first = row_value(&link.customer, "sales_rep");
	return work_end(&work,
	                write_link(&work, link.customer.id, link.rep, rep,
	                           "DELETE FROM customer_rep WHERE customer = ?1 AND rep = ?2", "unlink",
	                           &unlinked) &&
	                        (first == NULL || strcmp(first, rep) != 0 || set_first(&work, &link, NULL)));
}
