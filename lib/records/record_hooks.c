/* SPDX-License-Identifier: MIT */
/* What each kind of record does besides the table of fields: one row a kind that does anything. */
#include "records/record_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char *const customer_extra[] = {"email", "contact", "hours", "contacts", "reps", NULL};
static const char *const any_extra[] = {"*", NULL};
static const char *const quote_extra[] = {"items", NULL};
static const char *const sale_extra[] = {"payments", NULL};

static const struct hook hooks[] = {
        {.kind = "customer",
         .extra = customer_extra,
         .check = customer_check,
         .written = customer_written,
         .removing = customer_removing},
        {.kind = "contact", .check = contact_check},
        {.kind = "suspension", .check = suspension_check},
        {.kind = "note", .check = authored_check},
        {.kind = "comment", .check = authored_check},
        {.kind = "asset", .check = asset_check},
        {.kind = "activity", .check = activity_check},
        {.kind = "rep", .check = rep_check, .show = rep_show},
        {.kind = "system",
         .extra = any_extra,
         .check = system_check,
         .written = system_written,
         .show = system_show},
        {.kind = "system-type", .show = system_type_show},
        {.kind = "quote", .extra = quote_extra, .written = quote_written, .show = quote_show},
        {.kind = "sale",
         .extra = sale_extra,
         .check = sale_check,
         .written = sale_written,
         .show = sale_show},
        {.kind = "document", .check = file_check, .removing = file_removing},
        {.kind = "picture", .check = file_check, .removing = file_removing},
};

static const struct hook no_hook;

const struct hook *hook_find(const struct kind *kind)
{
	for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
		if (strcmp(hooks[i].kind, kind->name) == 0)
			return &hooks[i];
	}
	return &no_hook;
}

/* -- small ones, used by several kinds --------------------------------------------------------- */

/* Author and time of what is added; an import may bring its own. */
bool authored_check(struct work *work, const struct row *before, struct row *after, const json_t *values)
{
	char text[INSTANT_TEXT_MAX];
	(void)values;
	if (before->id != 0)
		return true;
	if (row_value(after, "author") == NULL)
		row_set(after, "author", arena_strdup(work->arena, work->act->actor.user));
	if (row_value(after, "created") == NULL)
		row_set(after, "created",
		        arena_strdup(work->arena, instant_format(work->act->when, 0, text)));
	return true;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* A new address, or one that the office says again, is taken to be good, unless an import brings its mark
 * along. */
static void unmark(struct work *work, const struct row *before, struct row *after, const json_t *values,
                   const char *address, const char *invalid, const char *why)
{
	bool said = !work->import && json_object_get(values, address);
	bool differs = !same(row_value(before, address), row_value(after, address));
	if (!(differs || said) || !same(row_value(before, invalid), row_value(after, invalid)))
		return;
	row_set(after, invalid, NULL);
	row_set(after, why, NULL);
}

/* What a person has marked, or has taken the mark from, without a server's words. */
static bool mark_by_hand(struct work *work, const struct row *before, struct row *after, const char *address,
                         const char *invalid, const char *why)
{
	const char *was = row_value(before, invalid), *is = row_value(after, invalid);
	if (work->import || same(was, is))
		return true;
	if (is && row_value(after, address) == NULL)
		return error_set(work->err, EX_DATAERR, "%s: the contact has no %s that could be marked",
		                 invalid, address);
	row_set(after, why, is ? "marked by hand" : NULL);
	return true;
}

bool contact_check(struct work *work, const struct row *before, struct row *after, const json_t *values)
{
	unmark(work, before, after, values, "email", "email_invalid", "email_invalid_why");
	unmark(work, before, after, values, "alt_email", "alt_email_invalid", "alt_email_invalid_why");
	return mark_by_hand(work, before, after, "email", "email_invalid", "email_invalid_why") &&
	       mark_by_hand(work, before, after, "alt_email", "alt_email_invalid", "alt_email_invalid_why");
}

/* The type of field knows degrees, not which of the two they are. */
bool asset_check(struct work *work, const struct row *before, struct row *after, const json_t *values)
{
	const char *latitude = row_value(after, "latitude");
	(void)before, (void)values;
	return latitude == NULL || fabs(strtod(latitude, NULL)) <= 90 ||
	       error_set(work->err, EX_DATAERR, "latitude: %s is not between -90 and 90", latitude);
}

/* A cold call takes what it needs from the customer. */
static bool fill_from_customer(struct work *work, struct row *after)
{
	struct db_query *query =
	        db_query(work->db, "SELECT coalesce(c.phone, k.work_phone, k.cell_phone, k.home_phone),"
	                           " coalesce(k.name, nullif(trim(coalesce(k.first_name, '') || ' ' || "
	                           "coalesce(k.last_name, '')), ''))"
	                           " FROM customer c LEFT JOIN contact k ON k.customer = c.id WHERE c.id = "
	                           "?1 ORDER BY k.id LIMIT 1");
	db_bind_int(query, 1, after->customer);
	enum db_step step = db_step(query, work->err);
	if (step != DB_ROW)
		return step == DB_DONE;
	if (row_value(after, "phone") == NULL)
		row_set(after, "phone", db_text_or_null(query, 0, work->arena));
	if (row_value(after, "contact") == NULL)
		row_set(after, "contact", db_text_or_null(query, 1, work->arena));
	db_finish(query);
	return true;
}

bool activity_check(struct work *work, const struct row *before, struct row *after, const json_t *values)
{
	const char *kind = row_value(after, "kind");
	if (before->id == 0 && kind && strcmp(kind, "cold-call") == 0 && !fill_from_customer(work, after))
		return false;
	return authored_check(work, before, after, values);
}

/* -- records with parts: quotes and sales ------------------------------------------------------ */

static bool remove_parts(struct work *work, const struct kind *kind, int64_t owner)
{
	struct db_query *query = db_query(work->db, strcmp(kind->name, "payment") == 0
	                                                    ? "DELETE FROM payment WHERE sale_id = ?1"
	                                                    : "DELETE FROM quote_item WHERE quote = ?1");
	db_bind_int(query, 1, owner);
	return db_run(query, work->err);
}

/* Parts as they are given: without the ids with which they are shown. */
static json_t *plain_parts(const json_t *parts)
{
	json_t *plain = json_deep_copy(parts), *one;
	size_t i;
	json_array_foreach(plain, i, one)
	{
		(void)json_object_del(one, "id");
		(void)json_object_del(one, "quote");
		(void)json_object_del(one, "sale");
	}
	return plain;
}

static bool same_parts(struct work *work, const struct row *row, const struct kind *kind, const json_t *parts,
                       bool *ret)
{
	json_t *shown;
	if (!records_list(work->store, kind, arena_printf(work->arena, "%lld", (long long)row->id), &shown,
	                  work->err))
		return false;
	json_t *plain = plain_parts(shown);
	*ret = json_equal(plain, parts);
	json_decref(plain);
	json_decref(shown);
	return true;
}

/* `given` are the parts with their ids. */
static bool add_parts(struct work *work, const struct row *row, const struct kind *kind, const json_t *parts,
                      const json_t *given)
{
	struct row part;
	size_t i;
	json_t *one;
	json_array_foreach(parts, i, one)
	{
		int64_t id = json_integer_value(json_object_get(json_array_get(given, i), "id"));
		if (!json_is_object(one))
			return error_set(work->err, EX_DATAERR, "is not an object");
		if (!row_new(work, kind, row->id, &part) || !row_keep_id(work, &part, id) ||
		    !record_put(work, &part, one, NULL, NULL))
			return false;
	}
	return true;
}

/* Parts that are given replace those that are there. */
static bool write_parts(struct work *work, const struct row *row, const json_t *values, bool adding,
                        const char *key, const char *kind_name, bool *changed)
{
	const struct kind *kind = kind_find(kind_name);
	const json_t *given = json_object_get(values, key);
	bool same = false;
	if (given == NULL)
		return true;
	if (!json_is_array(given))
		return error_set(work->err, EX_DATAERR, "%s: a list of objects was meant", key);
	json_t *parts = plain_parts(given);
	bool good = adding || same_parts(work, row, kind, parts, &same);
	if (good && !same) {
		*changed = true;
		good = (adding || remove_parts(work, kind, row->id)) &&
		       (add_parts(work, row, kind, parts, given) || error_prefix(work->err, "%s", key));
	}
	json_decref(parts);
	return good;
}

bool quote_written(struct work *work, const struct row *row, const json_t *values, bool adding, bool *changed)
{
	return write_parts(work, row, values, adding, "items", "quote-item", changed);
}

/* Beside a contract's amount the balance is reckoned, so what an import brings of it isn't kept. */
bool sale_check(struct work *work, const struct row *before, struct row *after, const json_t *values)
{
	const json_t *given = json_object_get(values, "balance");
	(void)before;
	if (row_value(after, "contract_amount") == NULL)
		return true;
	if (!work->import && given && !json_is_null(given))
		return error_set(
		        work->err, EX_DATAERR,
		        "balance: is reckoned from contract_amount and the payments and can't be given "
		        "beside them");
	row_set(after, "balance", NULL);
	return true;
}

bool sale_written(struct work *work, const struct row *row, const json_t *values, bool adding, bool *changed)
{
	return write_parts(work, row, values, adding, "payments", "payment", changed);
}

/* Sums are exact: amounts are whole numbers of 1/10000, products of 1/100000000. */
__extension__ typedef __int128 exact;

static exact exact_of(const char *text)
{
	exact value = 0;
	int places = -1;
	bool negative = *text == '-';
	for (text += negative; *text; text++) {
		if (*text == '.') {
			places = 0;
		} else if (*text >= '0' && *text <= '9' && places < 4) {
			value = value * 10 + (*text - '0');
			places += places >= 0;
		}
	}
	for (places = places < 0 ? 0 : places; places < 4; places++)
		value *= 10;
	return negative ? -value : value;
}

/* Of 1/100000000, with two digits behind the point or as many as are needed. */
static json_t *exact_json(exact value)
{
	char digits[48];
	size_t at = sizeof digits - 1, end = at;
	bool negative = value < 0;
	digits[at] = '\0';
	for (exact rest = negative ? -value : value, i = 0; i < 9 || rest > 0; i++, rest /= 10) {
		if (i == 8)
			digits[--at] = '.';
		digits[--at] = (char)('0' + (int)(rest % 10));
	}
	while (digits[end - 1] == '0' && digits[end - 3] != '.')
		end--;
	if (negative)
		digits[--at] = '-';
	return json_stringn(digits + at, end - at);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "0";
}

static bool show_parts(struct customers *store, const struct row *row, json_t *object, const char *kind,
                       const char *key, struct error *err)
{
	char id[24];
	json_t *parts;
	(void)snprintf(id, sizeof id, "%lld", (long long)row->id);
	return records_list(store, kind_find(kind), id, &parts, err) &&
	       json_object_set_new(object, key, parts) == 0;
}

bool quote_show(struct customers *store, const struct row *row, json_t *object, struct error *err)
{
	exact total = 0;
	size_t i;
	json_t *item;
	if (!show_parts(store, row, object, "quote-item", "items", err))
		return false;
	json_array_foreach(json_object_get(object, "items"), i, item) total +=
	        exact_of(text_of(item, "quantity")) * exact_of(text_of(item, "price"));
	return json_object_set_new(object, "total", exact_json(total)) == 0;
}

bool sale_show(struct customers *store, const struct row *row, json_t *object, struct error *err)
{
	exact paid = 0;
	size_t i;
	json_t *payment;
	if (!show_parts(store, row, object, "payment", "payments", err))
		return false;
	json_array_foreach(json_object_get(object, "payments"), i, payment) paid +=
	        exact_of(text_of(payment, "amount")) * 10000;
	if (row_value(row, "contract_amount"))
		(void)json_object_set_new(
		        object, "balance",
		        exact_json(exact_of(row_value(row, "contract_amount")) * 10000 - paid));
	return json_object_set_new(object, "paid", exact_json(paid)) == 0;
}
