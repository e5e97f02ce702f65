/* SPDX-License-Identifier: MIT */
/* What customers do besides the table of fields: their status, their sites, what comes with their
 * values. */
#include "records/record_customer.h"

#include "records/record_contacts.h"
#include "records/record_find.h"
#include "records/record_hours.h"
#include "records/record_row.h"
#include "records/record_status.h"
#include "records/records.h"
#include "records/transaction.h"

#include <string.h>
#include <sysexits.h>

/* -- sites ------------------------------------------------------------------------------------- */

/* How deep a parent lies below the top (1: it is the top), and whether `id` is above it. */
static bool depth_of(struct transaction *tx, int64_t parent, int64_t id, int *ret_depth,
                     bool *ret_loop)
{
	*ret_loop = false;
	for (*ret_depth = 0; parent != 0 && *ret_depth <= CUSTOMER_DEPTH_MAX; (*ret_depth)++) {
		*ret_loop = *ret_loop || parent == id;
		struct db_query *query =
		        db_query(tx->db, "SELECT parent FROM customer WHERE id = ?1");
		db_bind_int(query, 1, parent);
		if (!db_run_int(query, 0, &parent, tx->err))
			return false;
	}
	return true;
}

/* How many levels hang below, itself counted. */
static bool height_of(struct transaction *tx, int64_t id, int64_t *ret)
{
	struct db_query *query =
	        db_query(tx->db, "WITH RECURSIVE below (id, level) AS (SELECT ?1, 1 UNION SELECT "
	                         "c.id, level + 1 FROM customer c JOIN below ON c.parent = "
	                         "below.id WHERE level < 20) SELECT max(level) FROM below");
	db_bind_int(query, 1, id);
	return db_run_int(query, 1, ret, tx->err);
}

static bool check_parent(struct transaction *tx, const struct row *before, const char *parent)
{
	int64_t parent_id, height = 1;
	int depth;
	bool loop;
	if (!customer_id(tx->store, parent, &parent_id, tx->err))
		return false;
	if (parent_id == 0)
		return error_set(tx->err, EX_DATAERR, "parent: there is no customer %s", parent);
	if (!depth_of(tx, parent_id, before->id, &depth, &loop) ||
	    (before->id != 0 && !height_of(tx, before->id, &height)))
		return false;
	if (loop)
		return error_set(tx->err, EX_DATAERR,
		                 "parent: %s is the customer itself or one of its own sites",
		                 parent);
	return depth + height <= CUSTOMER_DEPTH_MAX ||
	       error_set(tx->err, EX_DATAERR, "parent: sites must not nest more than %d deep",
	                 (int)CUSTOMER_DEPTH_MAX);
}

bool customer_sites_fit(struct transaction *tx, int64_t from, int64_t into, bool *ret)
{
	int64_t height;
	int depth;
	bool loop;
	if (!depth_of(tx, into, from, &depth, &loop) || !height_of(tx, from, &height))
		return false;
	*ret = depth + height - 1 <= CUSTOMER_DEPTH_MAX;
	return true;
}

/* Where it was called by a number that it had before, its own: the row is written by that. */
static bool name_parent(struct transaction *tx, struct row *after)
{
	int64_t id;
	const char *number;
	bool former = false;
	if (!customer_named(tx->store, row_value(after, "parent"), tx->arena, &id, &number, &former,
	                    tx->err))
		return false;
	row_set(after, "parent", number);
	return true;
}

bool customer_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values)
{
	const char *parent = row_value(after, "parent"), *was = row_value(before, "parent");
	(void)values;
	if (before->id != 0 &&
	    !customer_check_status(tx, row_value(before, "status"), row_value(after, "status")))
		return false;
	return parent == NULL || (was && strcmp(was, parent) == 0) ||
	       (check_parent(tx, before, parent) && name_parent(tx, after));
}

static bool note_hashes(struct transaction *tx, int64_t id)
{
	struct db_query *query =
	        db_query(tx->db, "SELECT hash FROM document WHERE customer = ?1 UNION SELECT hash "
	                         "FROM picture WHERE customer = ?1");
	enum db_step step;
	db_bind_int(query, 1, id);
	while ((step = db_step(query, tx->err)) == DB_ROW)
		(void)json_array_append_new(tx->unused_files,
		                            json_string(db_peek_text(query, 0, NULL)));
	return step == DB_DONE;
}

bool customer_removing(struct transaction *tx, const struct row *row)
{
	int64_t sites;
	struct db_query *query =
	        db_query(tx->db, "SELECT count(*) FROM customer WHERE parent = ?1");
	db_bind_int(query, 1, row->id);
	if (!db_run_int(query, 0, &sites, tx->err))
		return false;
	if (sites > 0)
		return error_set(
		        tx->err, EX_DATAERR,
		        "customer %s has %lld site%s; they have to be moved or removed first",
		        row_value(row, "number"), (long long)sites, sites == 1 ? "" : "s");
	query = db_query(tx->db, "INSERT INTO removed_customer (customer, number) VALUES (?1, ?2)");
	db_bind_int(query, 1, row->id);
	db_bind_text(query, 2, row_value(row, "number"));
	return db_run(query, tx->err) && note_hashes(tx, row->id);
}

/* -- what comes with its values ---------------------------------------------------------------- */

static bool is_empty(const json_t *value)
{
	return value == NULL || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

/* Contacts and reps (record_contacts.c); `hours` is all of its service hours. */
bool customer_written(struct transaction *tx, const struct row *row, const json_t *values,
                      bool adding, bool *changed)
{
	json_t *hours = json_object_get(values, "hours");
	if (!people_put(tx, row, values, adding, changed))
		return false;
	return hours == NULL || (adding && is_empty(hours)) ||
	       hours_put(tx, row->id, hours, changed);
}
