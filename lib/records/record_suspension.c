/* SPDX-License-Identifier: MIT */
/*
 * Suspensions: entered, prolonged or cut short, ended, never deleted, so that the history stays.
 * One holds from the first instant of `from` to the first instant of `until` in the customer's time
 * zone.
 */
#include "records/record_suspension.h"

#include "records/customers_private.h"
#include "records/record_change.h"
#include "records/record_find.h"
#include "records/record_row.h"
#include "records/record_write.h"
#include "records/records.h"
#include "records/transaction.h"

#include <string.h>
#include <sysexits.h>

/* The zone of the nearest up the chain that has one, else the default, else the host's. */
static bool zone_of(struct customers *store, int64_t id, const char *default_zone,
                    const struct zone **ret, struct error *err)
{
	struct arena *arena = arena_new();
	const struct zone *zone = NULL;
	bool good = true;
	for (int depth = 0; id != 0 && zone == NULL && good && depth < CUSTOMER_DEPTH_MAX;
	     depth++) {
		struct db_query *query =
		        db_query(store->db, "SELECT timezone, parent FROM customer WHERE id = ?1");
		db_bind_int(query, 1, id);
		enum db_step step = db_step(query, err);
		good = step != DB_FAULT;
		if (step != DB_ROW)
			break;
		zone = zone_find(store->zones, db_text(query, 0, arena));
		id = db_int(query, 1);
		db_finish(query);
	}
	arena_free(arena);
	if (zone == NULL && default_zone && *default_zone)
		zone = zone_find(store->zones, default_zone);
	*ret = zone ? zone : zone_host(store->zones);
	return good;
}

static bool today_of(struct customers *store, int64_t id, const char *default_zone,
                     struct instant now, struct day *ret, struct error *err)
{
	const struct zone *zone;
	if (!zone_of(store, id, default_zone, &zone, err))
		return false;
	*ret = zone_day(zone, now);
	return true;
}

static bool holds_on(const struct row *row, struct day today)
{
	char text[DAY_TEXT_MAX];
	const char *from = row_value(row, "from"), *until = row_value(row, "until");
	if (row_value(row, "removed"))
		return false;
	(void)day_format(today, text);
	return (from == NULL || strcmp(from, text) <= 0) &&
	       (until == NULL || strcmp(text, until) < 0);
}

/* Nothing ended it but its own last day. */
static bool worn_off_on(const struct row *row, struct day today)
{
	char text[DAY_TEXT_MAX];
	const char *until = row_value(row, "until");
	return until && strcmp(until, day_format(today, text)) <= 0;
}

#define CHAIN                                                                                      \
	"WITH RECURSIVE up (id, depth) AS (SELECT ?1, 1 UNION ALL SELECT c.parent, depth + 1 "     \
	"FROM customer "                                                                           \
	"c"                                                                                        \
	" JOIN up ON c.id = up.id WHERE c.parent IS NOT NULL AND depth < 8)"                       \
	" SELECT EXISTS (SELECT 1 FROM up JOIN suspension s ON s.customer = up.id WHERE "          \
	"s.removed IS NULL"

/* Most have none at all, and then nobody has to know what day it is there. */
bool customer_suspended(struct customers *store, int64_t id, const char *default_zone,
                        struct instant now, bool *ret, struct error *err)
{
	struct db_query *query = db_query(store->db, CHAIN ")");
	struct day today;
	int64_t any;
	*ret = false;
	db_bind_int(query, 1, id);
	if (!db_run_int(query, 0, &any, err))
		return false;
	if (any == 0)
		return true;
	if (!today_of(store, id, default_zone, now, &today, err))
		return false;
	query = db_query(store->db,
	                 CHAIN " AND s.\"from\" <= ?2 AND (s.until IS NULL OR s.until > ?2))");
	db_bind_int(query, 1, id);
	db_bind_day(query, 2, today);
	if (!db_run_int(query, 0, &any, err))
		return false;
	*ret = any != 0;
	return true;
}

/* -- entering ---------------------------------------------------------------------------------- */

bool suspend(const struct change_context *context, const char *number, const char *default_zone,
             const json_t *values, int64_t *ret_id, struct error *err)
{
	struct transaction tx;
	struct row row;
	struct day today;
	int64_t id;
	char text[DAY_TEXT_MAX];
	if (!transaction_begin(&tx, context, err))
		return false;
	if (!record_find(tx.store, kind_find("customer"), number, &id, err) ||
	    !today_of(tx.store, id, default_zone, context->when, &today, err) ||
	    !row_new(&tx, kind_find("suspension"), id, &row))
		return transaction_end(&tx, false);
	json_t *complete = json_pack("{s:s}", "from", day_format(today, text));
	(void)json_object_update(complete, (json_t *)(uintptr_t)values);
	bool good = record_put(&tx, &row, complete, ret_id, NULL);
	json_decref(complete);
	return transaction_end(&tx, good);
}

/* -- ending ------------------------------------------------------------------------------------ */

static bool end_one(struct transaction *tx, const struct row *row)
{
	char text[INSTANT_TEXT_MAX];
	struct row after = *row;
	row_set(&after, "removed",
	        arena_strdup(tx->arena, instant_format(tx->context->when, 0, text)));
	row_set(&after, "removed_by", arena_strdup(tx->arena, tx->context->actor.user));
	return row_update(tx, &after) && change_row(tx, row, &after, "resume");
}

static bool end_by_id(struct transaction *tx, int64_t customer, int64_t id)
{
	struct row row;
	if (!row_get(tx->store, tx->arena, kind_find("suspension"), id, &row, tx->err))
		return false;
	if (row.id == 0 || row.customer != customer)
		return error_set(tx->err, EX_NOINPUT,
		                 "there is no suspension %lld of that customer", (long long)id);
	if (row_value(&row, "removed"))
		return error_set(tx->err, EX_DATAERR, "suspension %lld has already ended",
		                 (long long)id);
	return end_one(tx, &row);
}

/* All rows are read before the first is changed. */
static bool end_all(struct transaction *tx, int64_t customer, struct day today, int64_t *ret_n)
{
	const struct kind *kind = kind_find("suspension");
	struct db_query *query = db_query(tx->db, row_sql(tx->store, kind)->list);
	struct held {
		struct row row;
		struct held *next;
	} *held = NULL;
	enum db_step step;
	db_bind_int(query, 1, customer);
	while ((step = db_step(query, tx->err)) == DB_ROW) {
		struct held *one = arena_alloc(tx->arena, sizeof *one);
		row_read(kind, query, tx->arena, &one->row);
		one->row.customer = customer;
		if (holds_on(&one->row, today)) {
			one->next = held;
			held = one;
		}
	}
	for (*ret_n = 0; held; held = held->next, (*ret_n)++) {
		if (!end_one(tx, &held->row))
			return false;
	}
	return step == DB_DONE;
}

bool resume(const struct change_context *context, const char *number, const char *default_zone,
            int64_t id, int64_t *ret_n, struct error *err)
{
	struct transaction tx;
	struct day today;
	int64_t customer, n = 1;
	if (!transaction_begin(&tx, context, err))
		return false;
	bool good = record_find(tx.store, kind_find("customer"), number, &customer, err) &&
	            today_of(tx.store, customer, default_zone, context->when, &today, err) &&
	            (id != 0 ? end_by_id(&tx, customer, id) : end_all(&tx, customer, today, &n));
	if (!transaction_end(&tx, good))
		return false;
	if (ret_n)
		*ret_n = n;
	return true;
}

/* -- listing ----------------------------------------------------------------------------------- */

struct listing {
	struct customers *store;
	struct arena *arena;
	const char *default_zone;
	struct instant now;
	bool history;
	json_t *array;
	struct error *err;
};

static bool add_listed(const struct listing *listing, const struct row *row, const char *number,
                       struct day today)
{
	if (!listing->history && (row_value(row, "removed") || worn_off_on(row, today)))
		return true;
	json_t *object = json_pack("{s:I, s:s}", "id", (json_int_t)row->id, "customer", number);
	json_t *fields = row_json(row, listing->arena);
	if (object == NULL)
		object = json_object();
	(void)json_object_update(object, fields);
	json_decref(fields);
	(void)json_object_set_new(object, "holds", json_boolean(holds_on(row, today)));
	return json_array_append_new(listing->array, object) == 0;
}

/* Those of one customer, with the days of `site`, whose view it is. */
static bool list_of(const struct listing *listing, int64_t customer, struct day today)
{
	const struct kind *kind = kind_find("suspension");
	struct db_query *query =
	        db_query(listing->store->db, "SELECT number FROM customer WHERE id = ?1");
	enum db_step step;
	db_bind_int(query, 1, customer);
	if ((step = db_step(query, listing->err)) != DB_ROW)
		return step == DB_DONE;
	const char *number = db_text(query, 0, listing->arena);
	db_finish(query);
	query = db_query(listing->store->db, row_sql(listing->store, kind)->list);
	db_bind_int(query, 1, customer);
	while ((step = db_step(query, listing->err)) == DB_ROW) {
		struct row row;
		row_read(kind, query, listing->arena, &row);
		(void)add_listed(listing, &row, number, today);
	}
	return step == DB_DONE;
}

static bool list_chain(const struct listing *listing, int64_t id)
{
	struct day today;
	if (!today_of(listing->store, id, listing->default_zone, listing->now, &today,
	              listing->err))
		return false;
	for (int depth = 0; id != 0 && depth < CUSTOMER_DEPTH_MAX; depth++) {
		if (!list_of(listing, id, today))
			return false;
		struct db_query *query =
		        db_query(listing->store->db, "SELECT parent FROM customer WHERE id = ?1");
		db_bind_int(query, 1, id);
		if (!db_run_int(query, 0, &id, listing->err))
			return false;
	}
	return true;
}

static bool list_everybody(const struct listing *listing)
{
	struct db_query *query = db_query(
	        listing->store->db, "SELECT DISTINCT customer FROM suspension ORDER BY customer");
	enum db_step step;
	bool good = true;
	while (good && (step = db_step(query, listing->err)) == DB_ROW) {
		int64_t id = db_int(query, 0);
		struct day today;
		good = today_of(listing->store, id, listing->default_zone, listing->now, &today,
		                listing->err) &&
		       list_of(listing, id, today);
	}
	if (!good)
		db_finish(query);
	return good && step == DB_DONE;
}

bool suspensions_list(struct customers *store, const char *number, const char *default_zone,
                      struct instant now, bool history, json_t **ret, struct error *err)
{
	struct listing listing = {.store = store,
	                          .default_zone = default_zone,
	                          .now = now,
	                          .history = history,
	                          .err = err};
	int64_t id = 0;
	if (number && !record_find(store, kind_find("customer"), number, &id, err))
		return false;
	listing.arena = arena_new();
	listing.array = json_array();
	bool good = number ? list_chain(&listing, id) : list_everybody(&listing);
	arena_free(listing.arena);
	if (good)
		*ret = listing.array;
	else
		json_decref(listing.array);
	return good;
}
