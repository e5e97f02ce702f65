/* SPDX-License-Identifier: MIT */
/* Records with parts: quotes with their items, sales with their payments, and their sums. */
#include "records/record_parts.h"

#include "records/record_json.h"
#include "records/record_row.h"
#include "records/record_write.h"
#include "records/transaction.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static bool remove_parts(struct transaction *tx, const struct kind *kind, int64_t owner)
{
	struct db_query *query = db_query(tx->db, row_sql(tx->store, kind)->remove_owned);
	db_bind_int(query, 1, owner);
	return db_run(query, tx->err);
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

static bool same_parts(struct transaction *tx, const struct row *row, const struct kind *kind,
                       const json_t *parts, bool *ret)
{
	json_t *shown;
	if (!rows_list(tx->store, kind, row->id, record_json, &shown, tx->err))
		return false;
	json_t *plain = plain_parts(shown);
	*ret = json_equal(plain, parts);
	json_decref(plain);
	json_decref(shown);
	return true;
}

/* `given` are the parts with their ids. */
static bool add_parts(struct transaction *tx, const struct row *row, const struct kind *kind,
                      const json_t *parts, const json_t *given)
{
	struct row part;
	size_t i;
	json_t *one;
	json_array_foreach(parts, i, one)
	{
		int64_t id = json_integer_value(json_object_get(json_array_get(given, i), "id"));
		if (!json_is_object(one))
			return error_set(tx->err, EX_DATAERR, "is not an object");
		if (!row_new(tx, kind, row->id, &part) || !row_keep_id(tx, &part, id) ||
		    !record_put(tx, &part, one, NULL, NULL))
			return false;
	}
	return true;
}

/* Parts that are given replace those that are there. */
bool parts_written(struct transaction *tx, const struct row *row, const json_t *values, bool adding,
                   bool *changed)
{
	const char *key = row->kind->parts;
	const struct kind *kind = kind_find(row->kind->part_kind);
	const json_t *given = json_object_get(values, key);
	bool same = false;
	if (given == NULL)
		return true;
	if (!json_is_array(given))
		return error_set(tx->err, EX_DATAERR, "%s: expected a list of objects", key);
	json_t *parts = plain_parts(given);
	bool good = adding || same_parts(tx, row, kind, parts, &same);
	if (good && !same) {
		*changed = true;
		good = (adding || remove_parts(tx, kind, row->id)) &&
		       (add_parts(tx, row, kind, parts, given) || error_prefix(tx->err, "%s", key));
	}
	json_decref(parts);
	return good;
}

/* Beside a contract's amount the balance is computed, so what an import brings of it isn't kept. */
bool sale_check(struct transaction *tx, const struct row *before, struct row *after,
                const json_t *values)
{
	const json_t *given = json_object_get(values, "balance");
	(void)before;
	if (row_value(after, "contract_amount") == NULL)
		return true;
	if (!tx->import && given && !json_is_null(given))
		return error_set(tx->err, EX_DATAERR,
		                 "balance: is computed from contract_amount and the payments and "
		                 "can't be given with them");
	row_set(after, "balance", NULL);
	return true;
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

static bool show_parts(struct customers *store, const struct row *row, json_t *object,
                       struct error *err)
{
	json_t *parts;
	return rows_list(store, kind_find(row->kind->part_kind), row->id, record_json, &parts,
	                 err) &&
	       json_object_set_new(object, row->kind->parts, parts) == 0;
}

bool quote_show(struct customers *store, const struct row *row, json_t *object, struct error *err)
{
	exact total = 0;
	size_t i;
	json_t *item;
	if (!show_parts(store, row, object, err))
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
	if (!show_parts(store, row, object, err))
		return false;
	json_array_foreach(json_object_get(object, "payments"), i, payment) paid +=
	        exact_of(text_of(payment, "amount")) * 10000;
	if (row_value(row, "contract_amount"))
		(void)json_object_set_new(
		        object, "balance",
		        exact_json(exact_of(row_value(row, "contract_amount")) * 10000 - paid));
	return json_object_set_new(object, "paid", exact_json(paid)) == 0;
}
