/* SPDX-License-Identifier: MIT */
/*
 * Whose data has changed, for the engine: what waits for others need not be looked at again. The
 * changes are noted by triggers (customers_9.sql), one row a customer; what sites inherit is worked
 * out here, by the parents of this moment.
 */
#include "records/customers.h"
#include "records/customers_private.h"

#include <stdio.h>
#include <string.h>

/* Who erases a customer, or gives it another number, leaves these columns as they are. */
#define MARK "id || ' ' || time || ' ' || kind || ' ' || coalesce(record, 0) || ' ' || user"

static bool read_mark(struct db_query *query, char ret[CHANGE_MARK_SIZE], struct error *err)
{
	enum db_step step = db_step(query, err);
	const char *text = step == DB_ROW ? db_peek_text(query, 0, NULL) : NULL;
	(void)snprintf(ret, CHANGE_MARK_SIZE, "%s", text ? text : "");
	db_finish(query);
	return step != DB_FAULT;
}

static bool last_seq(struct customers *customers, int64_t *ret, struct error *err)
{
	return db_run_int(db_query(customers->db, "SELECT max(seq) FROM recheck"), 0, ret, err);
}

bool customers_change_point(struct customers *customers, struct change_point *ret,
                            struct error *err)
{
	return last_seq(customers, &ret->seq, err) &&
	       read_mark(db_query(customers->db,
	                          "SELECT " MARK " FROM change ORDER BY id DESC LIMIT 1"),
	                 ret->mark, err);
}

bool customers_change_known(struct customers *customers, const struct change_point *point,
                            bool *ret, struct error *err)
{
	char mark[CHANGE_MARK_SIZE];
	int64_t last;
	if (!last_seq(customers, &last, err))
		return false;
	struct db_query *query = db_query(customers->db, "SELECT " MARK " FROM change WHERE id = "
	                                                 "CAST(?1 AS INTEGER)");
	db_bind_text(query, 1, point->mark);
	if (!read_mark(query, mark, err))
		return false;
	*ret = point->seq >= 0 && point->seq <= last && strcmp(mark, point->mark) == 0;
	return true;
}

static void bind_range(struct db_query *query, int64_t after, int64_t upto)
{
	db_bind_int(query, 1, after);
	db_bind_int(query, 2, upto);
}

static bool is_everybodys(struct customers *customers, int64_t after, int64_t upto, bool *ret,
                          struct error *err)
{
	int64_t n;
	struct db_query *query = db_query(customers->db, "SELECT count(*) FROM recheck WHERE "
	                                                 "customer = 0 AND seq > ?1 AND seq <= ?2");
	bind_range(query, after, upto);
	if (!db_run_int(query, 0, &n, err))
		return false;
	*ret = n > 0;
	return true;
}

/* One that was removed has no row but that of its removal; a loop of parents ends with the depth.
 */
static const char numbers_sql[] =
        "WITH RECURSIVE below (id, level) AS ("
        "SELECT customer, 1 FROM recheck WHERE seq > ?1 AND seq <= ?2"
        " UNION SELECT c.id, level + 1 FROM below CROSS JOIN customer c ON c.parent = below.id"
        " WHERE level < ?3 LIMIT ?4)"
        " SELECT c.number FROM below JOIN customer c ON c.id = below.id"
        " UNION ALL SELECT f.number FROM below CROSS JOIN former_number f ON f.customer = below.id"
        " UNION ALL SELECT number FROM recheck WHERE seq > ?1 AND seq <= ?2 AND number IS NOT NULL";

static bool read_numbers(struct customers *customers, int64_t after, size_t max,
                         struct arena *arena, struct customer_changes *ret, struct error *err)
{
	struct db_query *query = db_query(customers->db, numbers_sql);
	enum db_step step = DB_ROW;
	ret->numbers = arena_new_array(arena, max, const char *);
	bind_range(query, after, ret->upto);
	db_bind_int(query, 3, CUSTOMER_DEPTH_MAX);
	db_bind_int(query, 4, (int64_t)max * 2); /* those that were removed give no number here */
	while (ret->n_numbers < max && (step = db_step(query, err)) == DB_ROW)
		ret->numbers[ret->n_numbers++] = db_text(query, 0, arena);
	db_finish(query);
	ret->everybody = ret->n_numbers == max;
	return step != DB_FAULT;
}

bool customers_changes(struct customers *customers, int64_t after, size_t max, size_t max_numbers,
                       struct arena *arena, struct customer_changes *ret, struct error *err)
{
	struct db_query *query =
	        db_query(customers->db, "SELECT max(seq) FROM (SELECT seq FROM recheck WHERE "
	                                "seq > ?1 ORDER BY seq LIMIT ?2)");
	bind_range(query, after, (int64_t)max);
	*ret = (struct customer_changes){.upto = after};
	if (!db_run_int(query, after, &ret->upto, err) ||
	    !is_everybodys(customers, after, ret->upto, &ret->everybody, err))
		return false;
	return ret->everybody || read_numbers(customers, after, max_numbers, arena, ret, err);
}
