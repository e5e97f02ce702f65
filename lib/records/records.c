/* SPDX-License-Identifier: MIT */
/* Adding, changing and removing records of every kind, each in a transaction of its own. */
#include "records/records.h"

#include "records/record_private.h"

#include <string.h>
#include <sysexits.h>

static bool find_owner(struct work *work, const struct kind *kind, const char *owner, int64_t *ret)
{
	*ret = 0;
	if (kind->owner == NULL)
		return true;
	if (owner == NULL)
		return error_set(work->err, EX_USAGE, "%s: which %s it belongs to is missing", kind->name,
		                 kind->owner);
	return record_find(work->store, kind_find(kind->owner), owner, ret, work->err);
}

bool records_add(const struct act *act, const struct kind *kind, const char *owner, const json_t *values,
                 int64_t *ret_id, struct error *err)
{
	struct work work;
	struct row row;
	int64_t owner_id;
	if (!work_begin(&work, act, err))
		return false;
	return work_end(&work, find_owner(&work, kind, owner, &owner_id) &&
	                               row_new(&work, kind, owner_id, &row) &&
	                               record_put(&work, &row, values, ret_id, NULL));
}

bool records_set(const struct act *act, const struct kind *kind, const char *name, const json_t *values,
                 struct error *err)
{
	struct work work;
	struct row row;
	int64_t id;
	if (kind->added_only)
		return error_set(err, EX_DATAERR, "%s are only added, never changed", kind->many);
	if (!work_begin(&work, act, err))
		return false;
	return work_end(&work, record_find(work.store, kind, name, &id, err) &&
	                               row_get(work.store, work.arena, kind, id, &row, err) &&
	                               record_put(&work, &row, values, NULL, NULL));
}

/* -- removing ---------------------------------------------------------------------------------- */

static bool remove_row(struct work *work, const struct row *row)
{
	const struct hook *hook = hook_find(row->kind);
	const struct row nothing = {.kind = row->kind};
	if (hook->removing && !hook->removing(work, row))
		return false;
	struct db_query *query = db_query(work->db, row_sql(work->store, row->kind)->remove);
	db_bind_int(query, 1, row->id);
	if (!db_run(query, work->err)) {
		if (db_answer(work->db) == DB_CONSTRAINT)
			return error_set(work->err, EX_DATAERR, "this %s is still in use", row->kind->name);
		return false;
	}
	return change_row(work, row, &nothing, "remove");
}

/* By a number that a customer had before only that name goes. */
static bool remove_named(struct work *work, const struct row *row, const char *name)
{
	int64_t id;
	const char *number;
	bool former = false;
	if (strcmp(row->kind->name, "customer") == 0 &&
	    !customer_named(work->store, name, work->arena, &id, &number, &former, work->err))
		return false;
	return former ? customer_forget_number(work, row->id, name) : remove_row(work, row);
}

bool records_remove(const struct act *act, const struct kind *kind, const char *name, struct error *err)
{
	struct work work;
	struct row row;
	int64_t id;
	if (kind->kept_when_removed)
		return error_set(err, EX_DATAERR, "%s are never removed", kind->many);
	if (kind->added_only && !act->actor.manager)
		return error_set(err, EX_NOPERM, "%s: only a manager may remove them", kind->many);
	if (!work_begin(&work, act, err))
		return false;
	work.unused_files = json_array();
	json_t *files = work.unused_files;
	bool good = work_end(&work, record_find(work.store, kind, name, &id, err) &&
	                                    row_get(work.store, work.arena, kind, id, &row, err) &&
	                                    remove_named(&work, &row, name));
	if (good)
		files_sweep(act->store, files);
	json_decref(files);
	return good;
}
