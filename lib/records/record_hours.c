/* SPDX-License-Identifier: MIT */
/* Service hours of a customer: by weekday and by date. Each change replaces a day as a whole. */
#include "records/record_hours.h"

#include "base/jsontext.h"
#include "model/hours.h"
#include "records/customers_private.h"
#include "records/record_change.h"
#include "records/record_find.h"
#include "records/records.h"
#include "records/transaction.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>

/* -- showing ----------------------------------------------------------------------------------- */

static bool week_json(struct customers *store, int64_t id, json_t **ret, struct error *err)
{
	struct db_query *query = db_query(
	        store->db,
	        "SELECT weekday, windows FROM hours_week WHERE customer = ?1 ORDER BY weekday");
	json_t *week = NULL;
	enum db_step step;
	db_bind_int(query, 1, id);
	while ((step = db_step(query, err)) == DB_ROW) {
		int64_t weekday = db_int(query, 0);
		week = week ? week : json_object();
		if (weekday >= 0 && weekday <= 6)
			(void)json_object_set_new(week, hours_weekday_name((int)weekday),
			                          json_string(db_peek_text(query, 1, NULL)));
	}
	*ret = week ? week : json_null();
	return step == DB_DONE;
}

/* Those of the office for id 0. */
static bool dates_json(struct customers *store, int64_t id, json_t **ret, struct error *err)
{
	struct db_query *query = db_query(
	        store->db,
	        id != 0 ? "SELECT day, windows FROM hours_date WHERE customer = ?1 ORDER BY day"
	                : "SELECT day, windows FROM office_date WHERE ?1 = 0 ORDER BY day");
	json_t *dates = json_object();
	enum db_step step;
	db_bind_int(query, 1, id);
	while ((step = db_step(query, err)) == DB_ROW)
		(void)json_object_set_new(dates, db_peek_text(query, 0, NULL),
		                          json_string(db_peek_text(query, 1, NULL)));
	*ret = dates;
	return step == DB_DONE;
}

bool hours_json(struct customers *store, int64_t id, json_t **ret, struct error *err)
{
	json_t *week = NULL, *dates = NULL;
	if ((id == 0 || week_json(store, id, &week, err)) && dates_json(store, id, &dates, err)) {
		*ret = week ? json_pack("{s:o, s:o}", "weekly", week, "dates", dates)
		            : json_pack("{s:o}", "dates", dates);
		return true;
	}
	json_decref(week);
	json_decref(dates);
	return false;
}

/* The office's own are nobody's: 0. */
static bool find_whose(struct customers *store, const char *number, int64_t *ret, struct error *err)
{
	*ret = 0;
	return number == NULL || record_find(store, kind_find("customer"), number, ret, err);
}

bool hours_show(struct customers *store, const char *number, json_t **ret, struct error *err)
{
	int64_t id;
	return find_whose(store, number, &id, err) && hours_json(store, id, ret, err);
}

/* -- changing ---------------------------------------------------------------------------------- */

/* In canonical spelling, in the arena. */
static bool check_windows(struct transaction *tx, const char *windows, const char **ret)
{
	struct hours_day day;
	if (!hours_day_parse(windows, tx->arena, &day, tx->err))
		return false;
	*ret = hours_day_format(&day, tx->arena);
	return true;
}

static bool put_weekdays(struct transaction *tx, int64_t id, unsigned weekdays, const char *windows)
{
	for (int weekday = 0; weekday < 7; weekday++) {
		if ((weekdays & 1u << weekday) == 0)
			continue;
		struct db_query *query =
		        db_query(tx->db, "INSERT OR REPLACE INTO hours_week (customer, weekday, "
		                         "windows) VALUES (?1, ?2, ?3)");
		db_bind_int(query, 1, id);
		db_bind_int(query, 2, weekday);
		db_bind_text(query, 3, windows);
		if (!db_run(query, tx->err))
			return false;
	}
	return true;
}

static bool put_date(struct transaction *tx, int64_t id, struct day day, const char *windows)
{
	static const char *const sql[2][2] = {
	        {"DELETE FROM office_date WHERE ?1 = 0 AND day = ?2",
	         "INSERT OR REPLACE INTO office_date (day, windows) SELECT ?2, ?3 WHERE ?1 = 0"},
	        {"DELETE FROM hours_date WHERE customer = ?1 AND day = ?2",
	         "INSERT OR REPLACE INTO hours_date (customer, day, windows) VALUES (?1, ?2, ?3)"},
	};
	struct db_query *query = db_query(tx->db, sql[id != 0][windows != NULL]);
	db_bind_int(query, 1, id);
	db_bind_day(query, 2, day);
	if (windows)
		db_bind_text(query, 3, windows);
	return db_run(query, tx->err);
}

static bool put_span(struct transaction *tx, int64_t id, struct day first, struct day last,
                     const char *windows)
{
	for (struct day day = first; day.n <= last.n; day.n++)
		if (!put_date(tx, id, day, windows))
			return false;
	return true;
}

static bool clear(struct transaction *tx, int64_t id)
{
	static const char *const sql[] = {"DELETE FROM hours_week WHERE customer = ?1",
	                                  "DELETE FROM hours_date WHERE customer = ?1",
	                                  "DELETE FROM office_date WHERE ?1 = 0"};
	for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++) {
		struct db_query *query = db_query(tx->db, sql[i]);
		db_bind_int(query, 1, id);
		if (!db_run(query, tx->err))
			return false;
	}
	return true;
}

/* The history keeps the hours as a whole, before and after: that is what a person wants to
 * compare. */
static bool begin(struct transaction *tx, const struct change_context *context, const char *number,
                  int64_t *ret_id, json_t **ret_before, struct error *err)
{
	if (!transaction_begin(tx, context, err))
		return false;
	if (find_whose(tx->store, number, ret_id, err) &&
	    hours_json(tx->store, *ret_id, ret_before, err))
		return true;
	return transaction_end(tx, false);
}

static bool end(struct transaction *tx, int64_t id, json_t *before, bool good)
{
	json_t *after = NULL;
	if (!good || !hours_json(tx->store, id, &after, tx->err)) {
		json_decref(before);
		return transaction_end(tx, false);
	}
	if (json_equal(before, after)) {
		json_decref(before);
		json_decref(after);
		return transaction_end(tx, true);
	}
	return transaction_end(tx, change_add(tx, "hours", id, id, "set", before, after));
}

bool hours_set(const struct change_context *context, const char *number, const char *weekdays,
               const char *windows, struct error *err)
{
	struct transaction tx;
	int64_t id;
	json_t *before;
	unsigned days;
	if (!hours_weekdays_parse(weekdays, &days))
		return error_set(err, EX_DATAERR,
		                 "weekdays must be like mon, mon-fri, sat,sun or all (got \"%s\")",
		                 weekdays);
	if (!begin(&tx, context, number, &id, &before, err))
		return false;
	return end(&tx, id, before,
	           check_windows(&tx, windows, &windows) && put_weekdays(&tx, id, days, windows));
}

bool hours_except(const struct change_context *context, const char *number, struct day first,
                  struct day last, const char *windows, struct error *err)
{
	struct transaction tx;
	int64_t id;
	json_t *before;
	if (last.n < first.n)
		return error_set(err, EX_DATAERR,
		                 "the last day of a span can't be earlier than the first");
	if (last.n - first.n >= HOURS_SPAN_MAX)
		return error_set(err, EX_DATAERR,
		                 "a span of dates must be at most %d days long (got %d)",
		                 (int)HOURS_SPAN_MAX, last.n - first.n + 1);
	if (!begin(&tx, context, number, &id, &before, err))
		return false;
	return end(&tx, id, before,
	           (windows == NULL || check_windows(&tx, windows, &windows)) &&
	                   put_span(&tx, id, first, last, windows));
}

bool hours_clear(const struct change_context *context, const char *number, struct error *err)
{
	struct transaction tx;
	int64_t id;
	json_t *before;
	if (!begin(&tx, context, number, &id, &before, err))
		return false;
	return end(&tx, id, before, clear(&tx, id));
}

/* -- all at once, from an import --------------------------------------------------------------- */

static bool put_week(struct transaction *tx, int64_t id, const json_t *week)
{
	const char *key, *windows;
	json_t *value;
	unsigned days;
	json_object_foreach((json_t *)(uintptr_t)week, key, value)
	{
		if (!hours_weekdays_parse(key, &days) || !json_is_string(value))
			return error_set(tx->err, EX_DATAERR,
			                 "hours: '%s' must be a weekday with its windows", key);
		if (!check_windows(tx, json_string_value(value), &windows) ||
		    !put_weekdays(tx, id, days, windows))
			return false;
	}
	return true;
}

static bool put_dates(struct transaction *tx, int64_t id, const json_t *dates)
{
	const char *key, *windows;
	json_t *value;
	struct day day;
	json_object_foreach((json_t *)(uintptr_t)dates, key, value)
	{
		if (!day_parse(key, &day) || !json_is_string(value))
			return error_set(tx->err, EX_DATAERR,
			                 "hours: '%s' must be a day with its windows", key);
		if (!check_windows(tx, json_string_value(value), &windows) ||
		    !put_date(tx, id, day, windows))
			return false;
	}
	return true;
}

bool hours_put(struct transaction *tx, int64_t id, const json_t *hours, bool *changed)
{
	json_t *before, *after;
	bool empty =
	        json_is_null(hours) || (json_is_string(hours) && json_string_length(hours) == 0);
	if (!empty && !json_is_object(hours))
		return error_set(tx->err, EX_DATAERR,
		                 "hours: expected an object with weekly and dates");
	if (!hours_json(tx->store, id, &before, tx->err))
		return false;
	if (!clear(tx, id) || !put_week(tx, id, json_object_get(hours, "weekly")) ||
	    !put_dates(tx, id, json_object_get(hours, "dates")) ||
	    !hours_json(tx->store, id, &after, tx->err)) {
		json_decref(before);
		return false;
	}
	if (!json_equal(before, after)) {
		*changed = true;
		return change_add(tx, "hours", id, id, "set", before, after);
	}
	json_decref(before);
	json_decref(after);
	return true;
}

/* -- all at once, by a person ------------------------------------------------------------------ */

static struct db_query *hours_changes(struct customers *store, const char *sql, int64_t id)
{
	struct db_query *query = db_query(store->db, sql);
	db_bind_int(query, 1, id);
	return query;
}

bool hours_version(struct customers *store, const char *number, int64_t *ret, struct error *err)
{
	int64_t id;
	return find_whose(store, number, &id, err) &&
	       db_run_int(hours_changes(store,
	                                "SELECT max(id) FROM change WHERE customer IS ?1 AND kind "
	                                "= 'hours'",
	                                id),
	                  0, ret, err);
}

/* The hours as they were at that version; NULL where nobody has changed them since. */
static bool hours_seen(struct transaction *tx, int64_t id, int64_t version, json_t **ret)
{
	struct db_query *query = hours_changes(
	        tx->store,
	        "SELECT before FROM change WHERE customer IS ?1 AND kind = 'hours' AND id > ?2 "
	        "ORDER BY id LIMIT 1",
	        id);
	db_bind_int(query, 2, version);
	enum db_step step = db_step(query, tx->err);
	*ret = NULL;
	if (step != DB_ROW)
		return step == DB_DONE;
	size_t len;
	const char *text = db_peek_text(query, 0, &len);
	*ret = text ? jsontext_read(text, len, NULL) : NULL;
	db_finish(query);
	return true;
}

/* A member that isn't given is empty. */
static json_t *hours_member(const json_t *hours, const char *name)
{
	json_t *value = json_object_get(hours, name);
	if (value)
		return json_incref(value);
	return strcmp(name, "weekly") == 0 ? json_null() : json_object();
}

/* Of `weekly` and `dates` what is to be written; false where both have changed one. */
static bool hours_merge(const json_t *was, const json_t *theirs, json_t *mine,
                        struct expected *expected, struct error *err)
{
	static const char *const names[] = {"weekly", "dates"};
	json_t *conflicts = json_object();
	for (size_t i = 0; i < 2; i++) {
		json_t *old = hours_member(was, names[i]), *now = hours_member(theirs, names[i]),
		       *own = hours_member(mine, names[i]);
		if (json_equal(own, old))
			(void)json_object_set(mine, names[i], now);
		else if (!json_equal(now, old) && !json_equal(now, own))
			(void)json_object_set_new(conflicts, names[i],
			                          json_pack("{s:O, s:O, s:O}", "was", old, "yours",
			                                    own, "theirs", now));
		json_decref(old);
		json_decref(now);
		json_decref(own);
	}
	if (json_object_size(conflicts) == 0) {
		json_decref(conflicts);
		return true;
	}
	expected->conflicts = conflicts;
	return error_set(err, EX_DATAERR, "somebody else has changed this meanwhile");
}

bool hours_replace(const struct change_context *context, const char *number, const json_t *hours,
                   struct error *err)
{
	struct transaction tx;
	int64_t id;
	json_t *before, *was = NULL, *mine = json_copy((json_t *)(uintptr_t)hours);
	bool changed = false, good = begin(&tx, context, number, &id, &before, err);
	if (!good) {
		json_decref(mine);
		return false;
	}
	if (context->expected)
		good = hours_seen(&tx, id, context->expected->version, &was);
	good = good && (was == NULL || hours_merge(was, before, mine, context->expected, err)) &&
	       hours_put(&tx, id, mine, &changed);
	json_decref(before);
	json_decref(mine);
	json_decref(was);
	return transaction_end(&tx, good);
}
