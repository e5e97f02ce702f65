/* SPDX-License-Identifier: MIT */
/* What kinds of record check and complete besides the table of fields. */
#include "records/record_checks.h"

#include "records/record_change.h"
#include "records/record_file_transfer.h"
#include "records/record_row.h"
#include "records/transaction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Author and time of what is added; an import may bring its own. */
bool authored_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values)
{
	char text[INSTANT_TEXT_MAX];
	(void)values;
	if (before->id != 0)
		return true;
	if (row_value(after, "author") == NULL)
		row_set(after, "author", arena_strdup(tx->arena, tx->context->actor.user));
	if (row_value(after, "created") == NULL)
		row_set(after, "created",
		        arena_strdup(tx->arena, instant_format(tx->context->when, 0, text)));
	return true;
}

/* A new address, or one that the office enters again, counts as good, unless an import brings its
 * mark along. */
static void unmark(struct transaction *tx, const struct row *before, struct row *after,
                   const json_t *values, const char *address, const char *invalid, const char *why)
{
	bool repeated = !tx->import && json_object_get(values, address);
	bool differs = !value_same(row_value(before, address), row_value(after, address));
	if (!(differs || repeated) ||
	    !value_same(row_value(before, invalid), row_value(after, invalid)))
		return;
	row_set(after, invalid, NULL);
	row_set(after, why, NULL);
}

/* What a person has marked, or has taken the mark from, without a server's words. */
static bool mark_by_hand(struct transaction *tx, const struct row *before, struct row *after,
                         const char *address, const char *invalid, const char *why)
{
	const char *was = row_value(before, invalid), *is = row_value(after, invalid);
	if (tx->import || value_same(was, is))
		return true;
	if (is && row_value(after, address) == NULL)
		return error_set(tx->err, EX_DATAERR, "%s: the contact has no %s to mark", invalid,
		                 address);
	row_set(after, why, is ? RECORDS_MARKED_BY_HAND : NULL);
	return true;
}

bool contact_check(struct transaction *tx, const struct row *before, struct row *after,
                   const json_t *values)
{
	unmark(tx, before, after, values, "email", "email_invalid", "email_invalid_why");
	unmark(tx, before, after, values, "alt_email", "alt_email_invalid",
	       "alt_email_invalid_why");
	return mark_by_hand(tx, before, after, "email", "email_invalid", "email_invalid_why") &&
	       mark_by_hand(tx, before, after, "alt_email", "alt_email_invalid",
	                    "alt_email_invalid_why");
}

/* The field's type checks degrees, but not which of the two they are. */
bool asset_check(struct transaction *tx, const struct row *before, struct row *after,
                 const json_t *values)
{
	const char *latitude = row_value(after, "latitude");
	const char *x = row_value(after, "plan_x"), *y = row_value(after, "plan_y");
	(void)before, (void)values;
	if ((x == NULL) != (y == NULL))
		return error_set(tx->err, EX_DATAERR,
		                 "%s: is required with %s: a place on the plan needs both",
		                 x ? "plan_y" : "plan_x", x ? "plan_x" : "plan_y");
	return latitude == NULL || fabs(strtod(latitude, NULL)) <= 90 ||
	       error_set(tx->err, EX_DATAERR, "latitude: %s is not between -90 and 90", latitude);
}

/* A cold call takes what it needs from the customer. */
static bool fill_from_customer(struct transaction *tx, struct row *after)
{
	struct db_query *query = db_query(
	        tx->db, "SELECT coalesce(c.phone, k.work_phone, k.cell_phone, k.home_phone),"
	                " coalesce(k.name, nullif(trim(coalesce(k.first_name, '') || ' ' || "
	                "coalesce(k.last_name, '')), ''))"
	                " FROM customer c LEFT JOIN contact k ON k.customer = c.id WHERE c.id = "
	                "?1 ORDER BY k.id LIMIT 1");
	db_bind_int(query, 1, after->customer);
	enum db_step step = db_step(query, tx->err);
	if (step != DB_ROW)
		return step == DB_DONE;
	if (row_value(after, "phone") == NULL)
		row_set(after, "phone", db_text_or_null(query, 0, tx->arena));
	if (row_value(after, "contact") == NULL)
		row_set(after, "contact", db_text_or_null(query, 1, tx->arena));
	db_finish(query);
	return true;
}

bool activity_check(struct transaction *tx, const struct row *before, struct row *after,
                    const json_t *values)
{
	const char *kind = row_value(after, "kind");
	if (before->id == 0 && kind && strcmp(kind, "cold-call") == 0 &&
	    !fill_from_customer(tx, after))
		return false;
	return authored_check(tx, before, after, values);
}

bool suspension_check(struct transaction *tx, const struct row *before, struct row *after,
                      const json_t *values)
{
	const char *from = row_value(after, "from"), *until = row_value(after, "until");
	const char *scopes = row_value(after, "scopes");
	if (from && until && strcmp(until, from) <= 0)
		return error_set(tx->err, EX_DATAERR,
		                 "until: %s is not later than from (%s); it is the first day on "
		                 "which the suspension is over",
		                 until, from);
	if (scopes == NULL)
		return error_set(tx->err, EX_DATAERR,
		                 "scopes: expected one or more of jobs, routes, emails");
	if (!tx->import && row_value(before, "removed") && row_differs(before, after))
		return error_set(tx->err, EX_DATAERR,
		                 "suspension %lld was ended on %.10s and can't be changed any "
		                 "more; enter a new one",
		                 (long long)before->id, row_value(before, "removed"));
	return authored_check(tx, before, after, values);
}

bool file_check(struct transaction *tx, const struct row *before, struct row *after,
                const json_t *values)
{
	if (before->id == 0 && row_value(after, "hash") == NULL)
		return error_set(tx->err, EX_DATAERR, "a %s comes with a file", after->kind->name);
	if (tx->import && !content_arrives(tx, before, after))
		return false;
	return authored_check(tx, before, after, values);
}

/* It has one at most: the index of them sees to it. */
bool picture_clear_plan(struct transaction *tx, int64_t customer)
{
	struct row before;
	int64_t id = 0;
	struct db_query *query =
	        db_query(tx->db, "SELECT id FROM picture WHERE customer = ?1 AND plan <> 0");
	db_bind_int(query, 1, customer);
	enum db_step step = db_step(query, tx->err);
	if (step != DB_ROW)
		return step == DB_DONE;
	id = db_int(query, 0);
	db_finish(query);
	if (!row_get(tx->store, tx->arena, kind_find("picture"), id, &before, tx->err))
		return false;
	struct row after = before;
	row_set(&after, "plan", "false");
	return row_update(tx, &after) && change_row(tx, &before, &after, "set");
}

static bool is_plan(const struct row *picture)
{
	const char *plan = row_value(picture, "plan");
	return plan && strcmp(plan, "true") == 0;
}

bool picture_check(struct transaction *tx, const struct row *before, struct row *after,
                   const json_t *values)
{
	return file_check(tx, before, after, values) &&
	       (!is_plan(after) || is_plan(before) || picture_clear_plan(tx, after->customer));
}

bool file_removing(struct transaction *tx, const struct row *row)
{
	const char *hash = row_value(row, "hash");
	if (hash && tx->unused_files)
		(void)json_array_append_new(tx->unused_files, json_string(hash));
	return true;
}
