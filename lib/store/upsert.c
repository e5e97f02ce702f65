/* SPDX-License-Identifier: MIT */
/* Rows of customers from elsewhere, upserted by their number: the customers feed. */
#include "base/jsontext.h"
#include "store/record_private.h"

#include <sysexits.h>

static bool upsert(struct work *work, const json_t *values)
{
	const struct kind *kind = kind_find("customer");
	const json_t *number = json_object_get(values, "number");
	const char *text, *canonical;
	struct row row;
	size_t len;
	int64_t id;
	if (number == NULL)
		return error_set(work->err, EX_DATAERR, "number: is needed");
	if (!value_text("number", number, work->arena, &text, &len, work->err) ||
	    !field_check(kind_field(kind, "number"), text, len, work->store->zones, work->arena, &canonical,
	                 work->err))
		return false;
	if (canonical == NULL)
		return error_set(work->err, EX_DATAERR, "number: is needed and may not be empty");
	return customer_id(work->store, canonical, &id, work->err) &&
	       row_get(work->store, work->arena, kind, id, &row, work->err) &&
	       record_put(work, &row, values, NULL, NULL);
}

bool records_upsert(const struct act *act, const json_t *row, struct error *err)
{
	struct work work = {
	        .act = act, .store = act->store, .db = act->store->db, .import = true, .err = err};
	if (!json_is_object(row))
		return error_set(err, EX_DATAERR, "a customer is an object of fields");
	work.arena = arena_new();
	bool good = upsert(&work, row) && search_refresh(act->store, err);
	arena_free(work.arena);
	return good;
}

bool records_upsert_json(const struct act *act, const char *json, size_t len, struct error *err)
{
	json_t *row = jsontext_read(json, len, err);
	if (row == NULL)
		return false;
	bool good = db_begin(act->store->db, err);
	if (good) {
		good = records_upsert(act, row, err);
		if (good)
			good = db_commit(act->store->db, err);
		else
			db_rollback(act->store->db);
	}
	json_decref(row);
	return good;
}
