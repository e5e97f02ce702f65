/* SPDX-License-Identifier: MIT */
#include "spool/spool_redirect.h"

#include "spool/spool_private.h"

const char *spool_redirect(struct spool *spool, struct arena *arena)
{
	const char *to = "";
	struct db_query *q = spool_query(spool, "SELECT value FROM meta WHERE key = 'redirect_to'");
	if (!spool_row(spool, q))
		return to;
	to = db_text(q, 0, arena);
	db_finish(q);
	return to;
}

void spool_redirect_set(struct spool *spool, const char *to)
{
	struct db_query *q = spool_query(
	        spool, "INSERT OR REPLACE INTO meta (key, value) VALUES ('redirect_to', ?1)");
	db_bind_text(q, 1, to);
	spool_run(spool, q);
}

bool spool_read_redirect(struct spool *spool, struct arena *arena, const char **ret,
                         struct error *err)
{
	if (!spool_begin_read(spool, err))
		return false;
	const char *to = spool_redirect(spool, arena);
	spool_end_read(spool);
	if (spool_failed(spool)) {
		*err = spool->fault;
		return false;
	}
	*ret = to;
	return true;
}
