/* SPDX-License-Identifier: MIT */
#include "spool/spool_journal.h"

#include "db/db_record.h"
#include "spool/spool_private.h"

#include <string.h>

void spool_record(struct spool *spool)
{
	spool->records = true;
}

void spool_changes(struct spool *spool, struct buf *ret)
{
	struct error err;
	spool_complete(spool);
	if (!spool->failed && !db_record_take(spool->record, ret, &err))
		spool_fail(spool, &err);
}

struct journal_position spool_position(struct spool *spool)
{
	struct journal_position position = {0};
	struct db_query *q = spool_query(spool, "SELECT number, epoch, seal FROM journal_position");
	if (spool_row(spool, q)) {
		size_t len = 0;
		const void *seal = db_peek_blob(q, 2, &len);
		position.number = db_int(q, 0);
		position.epoch = db_int(q, 1);
		if (len == sizeof position.seal)
			memcpy(position.seal, seal, len);
		db_finish(q);
	}
	return position;
}

void spool_set_position(struct spool *spool, const struct journal_position *position)
{
	struct db_query *q = spool_query(
	        spool, "INSERT OR REPLACE INTO journal_position (one, number, epoch, seal) "
	               "VALUES (1, ?1, ?2, ?3)");
	db_bind_int(q, 1, position->number);
	db_bind_int(q, 2, position->epoch);
	db_bind_blob(q, 3, position->seal, sizeof position->seal);
	spool_run(spool, q);
}

bool spool_follow_begin(struct spool *spool, struct error *err)
{
	if (!spool->follower)
		spool->follower = db_follower_new(spool->db);
	return db_follow_begin(spool->db, err);
}

/* By kept statements, or with what goes wrong said, and tables' changes made in the order in which
 * they fit. */
static bool follow(struct spool *spool, const struct spool_changes *changes, bool kept,
                   struct error *err)
{
	return kept ? db_follower_make(spool->follower, changes->bytes, changes->len)
	            : db_follow(spool->db, changes->bytes, changes->len, err);
}

/* Not by spool_commit(), which writes counts of its own: they are among the changes. *ret_fits:
 * they were made, whatever became of the rest. */
static bool follow_all(struct spool *spool, const struct spool_changes *changes, size_t n,
                       const struct journal_position *behind, bool kept, bool *ret_fits,
                       struct error *err)
{
	struct error fault = {0};
	*ret_fits = true;
	if (!spool_begin(spool, err))
		return false;
	for (size_t i = 0; i < n && *ret_fits; i++)
		*ret_fits = follow(spool, &changes[i], kept, &fault);
	if (!*ret_fits)
		spool_fail(spool, &fault);
	spool_set_position(spool, behind);
	if (!spool->failed)
		return db_commit(spool->db, err);
	if (err != NULL)
		*err = spool->fault;
	db_rollback(spool->db);
	return false;
}

bool spool_follow(struct spool *spool, const struct spool_changes *changes, size_t n,
                  const struct journal_position *behind, struct error *err)
{
	bool fits;
	if (follow_all(spool, changes, n, behind, true, &fits, err))
		return true;
	return !fits && follow_all(spool, changes, n, behind, false, &fits, err);
}
