/* SPDX-License-Identifier: MIT */
/*
 * Texts of customers that were erased leave the spool, a job at a time, as soon as nothing of the
 * job is under way: no mail that may still go, no held or watched request, no outcome that Redis
 * hasn't got. What stays are ids, states, counts and times.
 */
#include "spool/spool.h"

#include "db/fields.h"
#include "spool/outcome_pack.h"
#include "spool/spool_private.h"

#include <string.h>

void spool_erase_customer(struct spool *spool, const char *number)
{
	struct db_query *q =
	        spool_query(spool, "UPDATE job SET erase = 1 WHERE id IN " SPOOL_JOBS_OF("?1"));
	db_bind_text(q, 1, number);
	spool_run(spool, q);
}

int64_t spool_erased(struct spool *spool)
{
	return spool_run_int(spool,
	                     spool_query(spool, "SELECT value FROM meta WHERE key = 'erased'"), 0);
}

void spool_set_erased(struct spool *spool, int64_t id)
{
	struct db_query *q = spool_query(spool, "UPDATE meta SET value = ?1 WHERE key = 'erased'");
	db_bind_int(q, 1, id);
	spool_run(spool, q);
}

/* Mails that report a job; those of the office about several recalled jobs are known by their
 * outcomes alone. */
#define MAILS_OF(job)                                                                              \
	"(SELECT id FROM mail WHERE job = " job " UNION SELECT mail FROM notice WHERE job = " job  \
	" UNION SELECT mail FROM outcome WHERE job = " job " AND mail IS NOT NULL)"

size_t spool_erasable(struct spool *spool, int64_t *ret, size_t max)
{
	struct db_query *q = spool_query(
	        spool,
	        "SELECT j.id FROM job j WHERE j.erase = 1 AND NOT EXISTS (SELECT 1 FROM request r "
	        "WHERE r.job = j.id AND (r.status = 'held' OR r.watched > 0)) AND NOT EXISTS "
	        "(SELECT 1 FROM outcome o WHERE o.job = j.id AND o.seq > (SELECT value FROM meta "
	        "WHERE key = 'published')) AND NOT EXISTS (SELECT 1 FROM mail m WHERE m.id "
	        "IN " MAILS_OF("j.id") " AND m.status IN ('queued', 'sending', 'retrying', "
	                               "'deferred')) LIMIT ?1");
	db_bind_int(q, 1, (int64_t)max);
	return spool_run_ids(spool, q, ret, max);
}

static const char *const wipings[] = {
        "UPDATE event SET data = '{}', trace = '[]', short_trace = NULL WHERE job = ?1",
        "UPDATE request SET data = '{}', trace = '[]' WHERE job = ?1",
        "DELETE FROM mail_context WHERE mail IN " MAILS_OF("?1"),
        "DELETE FROM mail_context WHERE mail IN (SELECT mail FROM reply WHERE about "
        "IN " MAILS_OF("?1") ")",
        "DELETE FROM reply WHERE about IN " MAILS_OF("?1"),
        "DELETE FROM mail_context WHERE mail IN (SELECT mail FROM opt_out_answer WHERE contact "
        "IN (SELECT contact FROM mail WHERE id IN " MAILS_OF("?1") "))",
        "UPDATE mail SET address = '', reply = '' WHERE id IN (SELECT mail FROM opt_out_answer "
        "WHERE contact IN (SELECT contact FROM mail WHERE id IN " MAILS_OF("?1") "))",
        "DELETE FROM strike WHERE contact IN (SELECT contact FROM mail WHERE id IN " MAILS_OF(
                "?1") ")",
        "DELETE FROM bounce WHERE mail IS NULL AND contact IN (SELECT contact FROM mail WHERE id "
        "IN " MAILS_OF("?1") ")",
        "DELETE FROM bounce WHERE mail IS NULL AND (lower(address) IN (SELECT lower(address) FROM "
        "mail WHERE address <> '' AND id IN " MAILS_OF(
                "?1") ") OR lower(sender) IN (SELECT "
                      "lower(address) FROM mail WHERE address <> '' AND id IN " MAILS_OF("?1") "))",
        "UPDATE OR REPLACE bounce SET address = '', text = '', sender = '' WHERE mail "
        "IN " MAILS_OF("?1"),
        "UPDATE mail SET address = '', reply = '' WHERE id IN " MAILS_OF("?1"),
        "UPDATE job SET erase = 2 WHERE id = ?1",
};

/* What an outcome keeps: nothing in it is a person's. */
static const char *const kept[] = {"time", "event",    "source", "job",          "customer",
                                   "type", "status",   "reason", "mail",         "contact",
                                   "due",  "attempts", "until",  "outside_hours"};

static bool is_kept(const struct entry_field *field)
{
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		if (strlen(kept[i]) == field->name_len &&
		    memcmp(kept[i], field->name, field->name_len) == 0)
			return true;
	}
	return false;
}

static void wipe_outcome(struct spool *spool, int64_t seq, const void *pack, size_t len,
                         bool is_outcome, struct arena *arena)
{
	struct entry_field *fields = NULL;
	struct buf left = {0};
	size_t n = 0;
	if (is_outcome && outcome_is_short(pack, len)) {
		outcome_wipe(pack, len, &left);
	} else if (fields_unpack(pack, len, arena, &fields, &n)) {
		for (size_t i = 0; i < n; i++)
			if (is_kept(&fields[i]))
				fields_add_bytes(&left, &fields[i]);
	}
	struct db_query *q = spool_query(spool, "UPDATE outcome SET fields = ?2 WHERE seq = ?1");
	db_bind_int(q, 1, seq);
	db_bind_blob(q, 2, buf_text(&left), left.len);
	spool_run(spool, q);
	buf_free(&left);
}

static void wipe_outcomes(struct spool *spool, int64_t job, struct arena *arena)
{
	int64_t *seqs = NULL;
	size_t n = 0, cap = 0, len;
	struct db_query *q = spool_query(spool, "SELECT seq FROM outcome WHERE job = ?1");
	db_bind_int(q, 1, job);
	while (spool_row(spool, q)) {
		seqs = arena_grow(arena, seqs, n, &cap, sizeof *seqs);
		seqs[n++] = db_int(q, 0);
	}
	for (size_t i = 0; i < n; i++) {
		q = spool_query(spool,
		                "SELECT fields, stream <> 'dispatch' FROM outcome WHERE seq = ?1");
		db_bind_int(q, 1, seqs[i]);
		if (!spool_row(spool, q))
			return;
		const void *pack = db_peek_blob(q, 0, &len);
		const char *copy = pack ? arena_strndup(arena, pack, len) : "";
		bool is_outcome = db_int(q, 1) != 0;
		db_finish(q);
		wipe_outcome(spool, seqs[i], copy, pack ? len : 0, is_outcome, arena);
	}
}

void spool_erase_job(struct spool *spool, int64_t job, struct arena *arena)
{
	spool_outcomes_forget(spool);
	wipe_outcomes(spool, job, arena);
	for (size_t i = 0; i < sizeof wipings / sizeof wipings[0]; i++) {
		struct db_query *q = spool_query(spool, wipings[i]);
		db_bind_int(q, 1, job);
		spool_run(spool, q);
	}
}

void spool_wipe_deleted(struct spool *spool, bool wipe)
{
	(void)db_exec(spool->db, wipe ? "PRAGMA secure_delete = ON" : "PRAGMA secure_delete = FAST",
	              NULL);
}

void spool_empty_wal(struct spool *spool)
{
	int64_t busy;
	struct error ignored;
	(void)!db_run_int(db_query(spool->db, "PRAGMA wal_checkpoint(TRUNCATE)"), 0, &busy,
	                  &ignored);
}
