/* SPDX-License-Identifier: MIT */
#include "spool/spool_reply.h"

#include "spool/spool_private.h"

void spool_reply_add(struct spool *spool, int64_t mail, int64_t about, const char *entity,
                     size_t len)
{
	struct db_query *q =
	        spool_query(spool, "INSERT INTO reply (mail, about, entity) VALUES (?1, ?2, ?3)");
	db_bind_int(q, 1, mail);
	db_bind_int(q, 2, about);
	db_bind_blob(q, 3, entity, len);
	spool_run(spool, q);
}

const char *spool_reply_entity(struct spool *spool, int64_t mail, struct arena *arena,
                               size_t *ret_len)
{
	const char *entity = "";
	struct db_query *q = spool_query(spool, "SELECT entity FROM reply WHERE mail = ?1");
	*ret_len = 0;
	db_bind_int(q, 1, mail);
	while (spool_row(spool, q)) {
		const void *bytes = db_peek_blob(q, 0, ret_len);
		entity = bytes ? arena_strndup(arena, bytes, *ret_len) : "";
	}
	return entity;
}

void spool_reply_sent(struct spool *spool, int64_t mail)
{
	struct db_query *q = spool_query(spool, "DELETE FROM reply WHERE mail = ?1");
	db_bind_int(q, 1, mail);
	spool_run(spool, q);
}

int64_t spool_replies_to(struct spool *spool, int64_t about)
{
	struct db_query *q = spool_query(
	        spool, "SELECT count(*) FROM bounce WHERE mail = ?1 AND mail IS NOT NULL AND "
	               "kind = 'reply' AND took IN ('forwarded', 'commented')");
	db_bind_int(q, 1, about);
	return spool_run_int(spool, q, 0);
}

int64_t spool_replies_since(struct spool *spool, struct instant since)
{
	/* Ids follow time. */
	struct db_query *q = spool_query(
	        spool, "SELECT count(*) FROM bounce WHERE id > coalesce((SELECT id FROM bounce "
	               "WHERE time <= ?1 ORDER BY id DESC LIMIT 1), 0) AND took IN ('forwarded', "
	               "'commented')");
	db_bind_int(q, 1, since.ms);
	return spool_run_int(spool, q, 0);
}

void spool_replies_limit(struct spool *spool, int64_t about, int64_t max)
{
	struct db_query *q = spool_query(
	        spool, "DELETE FROM bounce WHERE id IN (SELECT id FROM bounce WHERE mail = ?1 AND "
	               "mail IS NOT NULL AND kind = 'reply' AND took IN ('parked', 'counted') "
	               "ORDER BY id DESC LIMIT -1 OFFSET ?2)");
	db_bind_int(q, 1, about);
	db_bind_int(q, 2, max);
	spool_run(spool, q);
}
