/* SPDX-License-Identifier: MIT */
/* Secrets of systems in clear: a manager's work, and on record before anything is shown. */
#include "records/record_private.h"

#include <sodium.h>

/* That somebody looked is on record before anything is shown. */
static bool reveal(struct work *work, const char *id, struct row *row, json_t **ret)
{
	const struct kind *kind = kind_find("system");
	unsigned char key[SYSTEM_KEY_SIZE];
	int64_t system;
	json_t *fields;
	if (!work_needs_manager(work, "reveal") || !record_find(work->store, kind, id, &system, work->err) ||
	    !row_get(work->store, work->arena, kind, system, row, work->err) ||
	    !system_read_key(work->store, key, work->err))
		return false;
	bool good = system_fields_json(work->store, row, key, &fields, work->err);
	sodium_memzero(key, sizeof key);
	if (good)
		*ret = fields;
	return good && change_add(work, "system", row->id, row->customer, "reveal", NULL, NULL);
}

bool system_reveal(const struct act *act, const char *id, json_t **ret, struct error *err)
{
	struct work work;
	struct row row;
	json_t *fields = NULL, *object = NULL;
	if (!work_begin(&work, act, err))
		return false;
	if (work_end(&work, reveal(&work, id, &row, &fields)) &&
	    records_show(act->store, kind_find("system"), id, &object, err)) {
		(void)json_object_set(object, "fields", fields);
		*ret = object;
	}
	json_decref(fields);
	return object != NULL;
}

/* Without a secret there is no need for a key. */
static bool reveal_all(struct work *work, bool *ret_any)
{
	unsigned char key[SYSTEM_KEY_SIZE];
	if (!work_needs_manager(work, "reveal"))
		return false;
	struct db_query *query = db_query(
	        work->db, "INSERT INTO change (time, user, kind, record, customer, action)"
	                  " SELECT ?1, ?2, 'system', id, customer, 'reveal' FROM system s WHERE EXISTS"
	                  " (SELECT 1 FROM system_value v WHERE v.system = s.id AND v.sealed IS NOT NULL)");
	db_bind_instant(query, 1, work->act->when);
	db_bind_text(query, 2, work->act->actor.user);
	if (!db_run(query, work->err))
		return false;
	*ret_any = db_changes(work->db) > 0;
	bool good = !*ret_any || system_read_key(work->store, key, work->err);
	sodium_memzero(key, sizeof key);
	return good;
}

bool systems_reveal(const struct act *act, struct error *err)
{
	struct work work;
	bool any = false;
	if (!work_begin(&work, act, err) || !work_end(&work, reveal_all(&work, &any)))
		return false;
	act->store->revealing = any;
	return true;
}
