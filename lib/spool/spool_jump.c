/* SPDX-License-Identifier: MIT */
#include "spool/spool.h"

#include "spool/spool_private.h"

/* Far more than an office has between a backup and its restore. */
enum { JUMP = 10000000 };

static void set_floor(struct spool *spool, const char *table, int64_t last)
{
	struct db_query *q = spool_query(
	        spool, "INSERT OR REPLACE INTO meta (key, value) VALUES (?1 || '_floor', ?2)");
	db_bind_text(q, 1, table);
	db_bind_int(q, 2, last + JUMP);
	spool_run(spool, q);
}

/* Between the last outcome before a restore and the first one behind it no number is given. */
int64_t spool_unpublished(struct spool *spool)
{
	int64_t last = spool_last_outcome(spool), published = spool_published(spool);
	int64_t floor = spool_floor(spool, "outcome");
	bool gap = last > floor && published <= floor - JUMP;
	return last - published - (gap ? JUMP : 0);
}

void spool_jump(struct spool *spool)
{
	set_floor(spool, "mail", spool_mail_new_id(spool) - 1);
	set_floor(spool, "outcome", spool_last_outcome(spool));
	spool_run(spool, spool_query(spool, DB_SEQUENCES_ALL));
	struct db_query *q = spool_query(spool, "UPDATE sqlite_sequence SET seq = seq + ?1");
	db_bind_int(q, 1, JUMP);
	spool_run(spool, q);
}
