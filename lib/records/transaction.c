/* SPDX-License-Identifier: MIT */
/* One change of the office's records: its transaction, and what is kept of it until its end. */
#include "records/record_private.h"

#include <sysexits.h>

bool work_begin(struct work *work, const struct act *act, struct error *err)
{
	*work = (struct work){.act = act, .store = act->store, .db = act->store->db, .err = err};
	if (!db_begin(work->db, err))
		return false;
	work->arena = arena_new();
	return true;
}

bool work_end(struct work *work, bool good)
{
	good = good && search_refresh(work->store, work->err);
	if (good)
		good = db_commit(work->db, work->err);
	else
		db_rollback(work->db);
	work->arena = arena_free(work->arena);
	return good;
}

bool work_is_claimed(const struct work *work, int64_t contact)
{
	return work->claimed && g_hash_table_contains(work->claimed, GSIZE_TO_POINTER((gsize)contact));
}

void work_claim(struct work *work, int64_t contact)
{
	if (work->claimed)
		g_hash_table_add(work->claimed, GSIZE_TO_POINTER((gsize)contact));
}

bool work_needs_manager(struct work *work, const char *what)
{
	return work->act->actor.manager ||
	       error_set(work->err, EX_NOPERM, "%s: only a manager may do that", what);
}
