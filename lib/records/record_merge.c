/* SPDX-License-Identifier: MIT */
/*
 * Two customers that are one: everything that belongs to the one becomes the other's, and its
 * number goes on as a name of that. In one transaction; jobs and mails follow in the engine
 * (renumbered, customers_6.sql).
 *
 * 	FROM ─ records, sites, reps, history, numbers ─▶ INTO
 * 	     └ what INTO doesn't set itself ───────────▶
 */
#include "records/records.h"

#include "base/address.h"
#include "records/record_change.h"
#include "records/record_checks.h"
#include "records/record_customer.h"
#include "records/record_row.h"
#include "records/transaction.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

/* -- whether they can be merged ---------------------------------------------------------------- */

struct merge {
	struct transaction *tx;
	struct row from, into;
	json_t *contacts; /* [[of FROM, of INTO], …]: those that become one */
};

static bool find_both(struct merge *merge, const char *from, const char *into)
{
	struct transaction *tx = merge->tx;
	const struct kind *kind = kind_find("customer");
	const char *from_number, *into_number;
	int64_t from_id, into_id;
	bool from_former = false, into_former = false;
	if (!customer_named(tx->store, from, tx->arena, &from_id, &from_number, &from_former,
	                    tx->err) ||
	    !customer_named(tx->store, into, tx->arena, &into_id, &into_number, &into_former,
	                    tx->err))
		return false;
	if (from_former)
		return error_set(tx->err, EX_DATAERR,
		                 "%s is a former number of customer %s already", from, from_number);
	if (from_id == into_id)
		return error_set(tx->err, EX_DATAERR, "customer %s can't be merged into itself",
		                 from_number);
	return row_get(tx->store, tx->arena, kind, from_id, &merge->from, tx->err) &&
	       row_get(tx->store, tx->arena, kind, into_id, &merge->into, tx->err);
}

static bool lies_below(struct transaction *tx, int64_t id, int64_t top, bool *ret)
{
	int64_t n;
	struct db_query *query = db_query(
	        tx->db,
	        "WITH RECURSIVE above (id, level) AS (SELECT ?1, 1 UNION SELECT c.parent, level + 1"
	        " FROM customer c JOIN above ON c.id = above.id WHERE c.parent IS NOT NULL AND"
	        " level < 20) SELECT count(*) FROM above WHERE id = ?2");
	db_bind_int(query, 1, id);
	db_bind_int(query, 2, top);
	if (!db_run_int(query, 0, &n, tx->err))
		return false;
	*ret = n > 0;
	return true;
}

static bool check_family(struct merge *merge)
{
	struct transaction *tx = merge->tx;
	bool below, above, fits;
	if (!lies_below(tx, merge->from.id, merge->into.id, &below) ||
	    !lies_below(tx, merge->into.id, merge->from.id, &above))
		return false;
	if (below || above)
		return error_set(tx->err, EX_DATAERR,
		                 "customer %s is a site of customer %s: they can't be merged",
		                 row_value(below ? &merge->from : &merge->into, "number"),
		                 row_value(below ? &merge->into : &merge->from, "number"));
	if (!customer_sites_fit(tx, merge->from.id, merge->into.id, &fits))
		return false;
	return fits ||
	       error_set(tx->err, EX_DATAERR, "sites of customer %s would nest more than %d deep",
	                 row_value(&merge->from, "number"), (int)CUSTOMER_DEPTH_MAX);
}

/* -- what INTO doesn't set itself -------------------------------------------------------------- */

/* Fields that mean something only together. */
static const char *const place[] = {"address", "city",   "state",   "postal_code",
                                    "county",  "region", "country", NULL};
static const char *const telephone[] = {"phone", "extension", NULL};
/* Fields that are never taken. */
static const char *const own[] = {"number", "name", "parent", "status", NULL};

static bool is_one_of(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool has_any(const struct row *row, const char *const *names)
{
	for (; *names; names++)
		if (row_value(row, *names) != NULL)
			return true;
	return false;
}

static bool may_fill(const struct row *into, const struct field *field)
{
	const char *name = field->name;
	if (is_one_of(own, name) || (field->inherited && row_value(into, "parent") != NULL))
		return false;
	return !(is_one_of(place, name) && has_any(into, place)) &&
	       !(is_one_of(telephone, name) && has_any(into, telephone));
}

static bool write_changed(struct transaction *tx, const struct row *before, const struct row *after)
{
	return !row_differs(before, after) ||
	       (row_update(tx, after) && change_row(tx, before, after, "set"));
}

static bool fill_fields(struct merge *merge)
{
	const struct kind *kind = kind_find("customer");
	struct row after = merge->into;
	for (size_t i = 0; i < kind->n_fields; i++) {
		if (after.value[i] == NULL && may_fill(&merge->into, &kind->fields[i]))
			after.value[i] = merge->from.value[i];
	}
	return write_changed(merge->tx, &merge->into, &after);
}

/* -- contacts that are there twice ------------------------------------------------------------- */

static const char *name_of(struct transaction *tx, const struct row *contact)
{
	const char *name = row_value(contact, "name"), *first = row_value(contact, "first_name");
	const char *last = row_value(contact, "last_name");
	if (name || (first == NULL && last == NULL))
		return name ? name : "";
	return arena_printf(tx->arena, "%s%s%s", first ? first : "", first && last ? " " : "",
	                    last ? last : "");
}

static bool is_same_person(struct transaction *tx, const struct row *a, const struct row *b)
{
	const char *x = row_value(a, "email"), *y = row_value(b, "email");
	return x && y && address_same(x, y) && strcasecmp(name_of(tx, a), name_of(tx, b)) == 0;
}

static size_t read_rows(struct merge *merge, const struct kind *kind, int64_t customer,
                        struct row **ret, bool *good)
{
	struct transaction *tx = merge->tx;
	struct db_query *query = db_query(tx->db, row_sql(tx->store, kind)->list);
	struct row *rows = NULL;
	size_t n = 0, cap = 0;
	enum db_step step;
	db_bind_int(query, 1, customer);
	while ((step = db_step(query, tx->err)) == DB_ROW) {
		rows = arena_grow(tx->arena, rows, n, &cap, sizeof *rows);
		row_read(kind, query, tx->arena, &rows[n]);
		rows[n++].customer = customer;
	}
	*ret = rows;
	*good = step == DB_DONE;
	return n;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* What the one that stays lacks; of what the program keeps only marks of the same address. */
static bool fill_contact(struct transaction *tx, const struct row *from, struct row *into)
{
	struct row after = *into;
	for (size_t i = 0; i < after.kind->n_fields; i++) {
		if (after.value[i] == NULL && !after.kind->fields[i].read_only)
			after.value[i] = from->value[i];
	}
	for (size_t i = 0; i < after.kind->n_fields; i++) {
		const struct field *field = &after.kind->fields[i];
		const char *address = strncmp(field->name, "alt_", 4) == 0 ? "alt_email" : "email";
		if (field->read_only && after.value[i] == NULL &&
		    same_text(row_value(&after, address), row_value(from, address)))
			after.value[i] = from->value[i];
	}
	bool good = write_changed(tx, into, &after);
	*into = after;
	return good;
}

/* The mails of the one follow the other by `contacts`. */
static bool unite(struct merge *merge, const struct row *from, struct row *into)
{
	struct transaction *tx = merge->tx;
	const struct row nothing = {.kind = from->kind};
	struct db_query *query = db_query(tx->db, row_sql(tx->store, from->kind)->remove);
	db_bind_int(query, 1, from->id);
	(void)json_array_append_new(
	        merge->contacts, json_pack("[I, I]", (json_int_t)from->id, (json_int_t)into->id));
	return fill_contact(tx, from, into) && db_run(query, tx->err) &&
	       change_row(tx, from, &nothing, "remove");
}

static bool unite_contacts(struct merge *merge)
{
	struct row *from, *into;
	bool good, good_too;
	const struct kind *kind = kind_find("contact");
	size_t n_from = read_rows(merge, kind, merge->from.id, &from, &good);
	size_t n_into = read_rows(merge, kind, merge->into.id, &into, &good_too);
	good = good && good_too;
	for (size_t i = 0; good && i < n_from; i++) {
		for (size_t k = 0; k < n_into; k++) {
			if (!is_same_person(merge->tx, &from[i], &into[k]))
				continue;
			good = unite(merge, &from[i], &into[k]);
			break;
		}
	}
	return good;
}

/* -- all that hangs on it ---------------------------------------------------------------------- */

static bool run_on_both(struct merge *merge, struct db_query *query)
{
	db_bind_int(query, 1, merge->from.id);
	db_bind_int(query, 2, merge->into.id);
	return db_run(query, merge->tx->err);
}

/* Where they were is on a plan that is none anymore. */
static bool displace_assets(struct merge *merge)
{
	struct row *assets;
	bool good;
	size_t n = read_rows(merge, kind_find("asset"), merge->from.id, &assets, &good);
	for (size_t i = 0; good && i < n; i++) {
		struct row after = assets[i];
		row_set(&after, "plan_x", NULL);
		row_set(&after, "plan_y", NULL);
		good = write_changed(merge->tx, &assets[i], &after);
	}
	return good;
}

/* INTO's own plan goes on as the plan. */
static bool keep_one_plan(struct merge *merge)
{
	struct transaction *tx = merge->tx;
	int64_t n;
	struct db_query *query =
	        db_query(tx->db, "SELECT count(*) FROM picture WHERE customer = ?1 AND plan <> 0");
	db_bind_int(query, 1, merge->into.id);
	return db_run_int(query, 0, &n, tx->err) &&
	       (n == 0 || (picture_clear_plan(tx, merge->from.id) && displace_assets(merge)));
}

static bool move_records(struct merge *merge)
{
	struct transaction *tx = merge->tx;
	for (size_t i = 0; i < n_kinds; i++) {
		if (!kind_is_of_customer(&kinds[i]))
			continue;
		const char *sql =
		        arena_printf(tx->arena, "UPDATE %s SET %s = ?2 WHERE %s = ?1",
		                     kinds[i].table, kinds[i].owner_column, kinds[i].owner_column);
		struct db_query *query = db_query_once(tx->db, sql);
		bool good = run_on_both(merge, query);
		db_finish(query);
		if (!good)
			return false;
	}
	return true;
}

/* Sites, each with the change in its history. */
static bool move_sites(struct merge *merge)
{
	struct transaction *tx = merge->tx;
	struct db_query *query = db_query(
	        tx->db,
	        "INSERT INTO change (time, user, kind, record, customer, action, before, after)"
	        " SELECT ?3, ?4, 'customer', id, id, 'set', json_object('parent', ?5),"
	        " json_object('parent', ?6) FROM customer WHERE parent = ?1 AND ?2 <> 0");
	db_bind_instant(query, 3, tx->context->when);
	db_bind_text(query, 4, tx->context->actor.user);
	db_bind_text(query, 5, row_value(&merge->from, "number"));
	db_bind_text(query, 6, row_value(&merge->into, "number"));
	return run_on_both(merge, query) &&
	       run_on_both(merge,
	                   db_query(tx->db, "UPDATE customer SET parent = ?2 WHERE parent = ?1"));
}

/* Hours of the week as a whole, as long as INTO has none and no parent to take them from; dates one
 * by one. */
static const char *const moves[] = {
        "INSERT INTO hours_week (customer, weekday, windows) SELECT ?2, weekday, windows FROM "
        "hours_week WHERE customer = ?1 AND NOT EXISTS (SELECT 1 FROM hours_week WHERE customer = "
        "?2) AND (SELECT parent FROM customer WHERE id = ?2) IS NULL",
        "INSERT OR IGNORE INTO hours_date (customer, day, windows) SELECT ?2, day, windows FROM "
        "hours_date WHERE customer = ?1",
        "INSERT OR IGNORE INTO customer_rep (customer, rep) SELECT ?2, rep FROM customer_rep WHERE "
        "customer = ?1",
        "UPDATE change SET customer = ?2 WHERE customer = ?1",
        "UPDATE former_number SET customer = ?2 WHERE customer = ?1",
        "INSERT OR IGNORE INTO search_stale SELECT ?2 WHERE ?1 <> 0",
        "DELETE FROM customer WHERE id = ?1 AND ?2 <> 0",
};

static bool move_rest(struct merge *merge)
{
	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		if (!run_on_both(merge, db_query(merge->tx->db, moves[i])))
			return false;
	}
	return true;
}

/* -- its number, and the history --------------------------------------------------------------- */

/* The history of FROM's number leads to INTO also when that number no longer names it. */
static bool record_both(struct merge *merge)
{
	struct transaction *tx = merge->tx;
	const char *from = row_value(&merge->from, "number"),
	           *into = row_value(&merge->into, "number");
	return change_add(tx, "customer", merge->into.id, merge->into.id, "merge",
	                  row_json(&merge->from, tx->arena), json_pack("{s:s}", "number", into)) &&
	       change_add(tx, "customer", merge->from.id, merge->from.id, "merge",
	                  json_pack("{s:s}", "number", from), json_pack("{s:s}", "number", into));
}

static bool keep_number(struct merge *merge)
{
	struct transaction *tx = merge->tx;
	const char *from = row_value(&merge->from, "number");
	struct db_query *gone = db_query(
	        tx->db,
	        "INSERT OR REPLACE INTO removed_customer (customer, number) VALUES (?1, ?2)");
	db_bind_int(gone, 1, merge->from.id);
	db_bind_text(gone, 2, from);
	if (!db_run(gone, tx->err))
		return false;
	struct db_query *name =
	        db_query(tx->db, "INSERT INTO former_number (number, customer) VALUES (?1, ?2)");
	db_bind_text(name, 1, from);
	db_bind_int(name, 2, merge->into.id);
	return db_run(name, tx->err);
}

/* The engine's cue: jobs and mails follow. */
static bool note_for_spool(struct merge *merge)
{
	struct transaction *tx = merge->tx;
	char *contacts = json_dumps(merge->contacts, JSON_COMPACT);
	struct db_query *query = db_query(
	        tx->db, "INSERT INTO renumbered (before, after, contacts) VALUES (?1, ?2, ?3)");
	db_bind_text(query, 1, row_value(&merge->from, "number"));
	db_bind_text(query, 2, row_value(&merge->into, "number"));
	db_bind_text(query, 3, contacts);
	free(contacts);
	return db_run(query, tx->err);
}

bool customer_merge(const struct change_context *context, const char *from, const char *into,
                    struct error *err)
{
	struct transaction tx;
	struct merge merge = {.tx = &tx};
	if (!transaction_begin(&tx, context, err))
		return false;
	merge.contacts = json_array();
	bool good = transaction_needs_manager(&tx, "merge") && find_both(&merge, from, into) &&
	            check_family(&merge) && fill_fields(&merge) && unite_contacts(&merge) &&
	            keep_one_plan(&merge) && move_records(&merge) && move_sites(&merge) &&
	            move_rest(&merge) && record_both(&merge) && keep_number(&merge) &&
	            note_for_spool(&merge);
	json_decref(merge.contacts);
	return transaction_end(&tx, good);
}
