/* SPDX-License-Identifier: MIT */
/*
 * What waits for customers that have changed: their numbers, and lists of ids by kind. Tables in
 * memory that go with the connection, but are part of the turn's transaction: a turn that fails
 * leaves them as they were.
 */
#include "spool/spool.h"

#include "spool/spool_private.h"

static const char tables[] =
        "CREATE TEMP TABLE recheck_customer (number TEXT PRIMARY KEY) WITHOUT ROWID;"
        "CREATE TEMP TABLE recheck_job (id INTEGER PRIMARY KEY);" /* those not listed yet */
        "CREATE TEMP TABLE recheck (kind INTEGER, id INTEGER, PRIMARY KEY (kind, id))"
        " WITHOUT ROWID";

bool spool_recheck_open(struct spool *spool, struct error *err)
{
	return db_exec(spool->db, tables, err);
}

/* Once for all kinds, since it goes through all that aren't listed. */
static void find_unlisted(struct spool *spool)
{
	if (spool->rechecked_unlisted)
		return;
	spool_run(spool, spool_query(spool, "DELETE FROM temp.recheck_job"));
	spool_run(spool, spool_query(spool, "INSERT INTO temp.recheck_job " SPOOL_UNLISTED_JOBS
	                                    "IN (SELECT number FROM temp.recheck_customer)"));
	spool->rechecked_unlisted = true;
}

void spool_recheck_customers(struct spool *spool, const char *const *numbers, size_t n)
{
	spool->rechecked_unlisted = false;
	spool_run(spool, spool_query(spool, "DELETE FROM temp.recheck_customer"));
	for (size_t i = 0; i < n; i++) {
		struct db_query *q = spool_query(
		        spool, "INSERT OR IGNORE INTO temp.recheck_customer VALUES (?1)");
		db_bind_text(q, 1, numbers[i]);
		spool_run(spool, q);
	}
}

#define LIST "INSERT OR IGNORE INTO temp.recheck SELECT DISTINCT ?1, "
#define OF_JOBS                                                                                    \
	" FROM (SELECT k.job AS id FROM temp.recheck_customer c CROSS JOIN customer_job k ON "     \
	"k.customer = c.number UNION ALL SELECT id FROM temp.recheck_job) AS job CROSS JOIN "

#define DEFERRED "m.status = 'deferred' AND m.reason = 'outside_hours'"
#define SENDING                                                                                    \
	"m.status = 'sending' AND m.status <> 'sent' AND job.customer IN (SELECT number FROM "     \
	"temp.recheck_customer)"

/* Mails by the event of their row, or by their notices. */
static const struct {
	const char *list;  /* ?1 the kind, ?2 how many at most */
	const char *count; /* ?1 how many at most */
} kinds[] = {
        [RECHECK_WAITING] = {.list = LIST
                             "w.id FROM temp.recheck_customer c CROSS JOIN waiting w ON "
                             "w.customer = c.number LIMIT ?2"},
        [RECHECK_HELD] =
                {.list = LIST "r.id" OF_JOBS "request r INDEXED BY request_held_job ON r.job = "
                              "job.id WHERE r.status = 'held' LIMIT ?2",
                 .count = "SELECT count(*) FROM (SELECT 1 FROM request WHERE status = 'held' "
                          "LIMIT ?1)"},
        [RECHECK_WATCHED] =
                {.list = LIST "r.id" OF_JOBS "request r INDEXED BY request_watched_job ON "
                              "r.job = job.id WHERE r.watched > 0 LIMIT ?2",
                 .count = "SELECT count(*) FROM (SELECT 1 FROM request WHERE watched > 0 "
                          "LIMIT ?1)"},
        [RECHECK_DEFERRED] = {.list = LIST
                              "id FROM (SELECT m.id" OF_JOBS
                              "mail m INDEXED BY mail_job ON m.job = job.id WHERE " DEFERRED
                              " UNION ALL SELECT m.id" OF_JOBS
                              "notice n ON n.job = job.id AND n.active = 1 CROSS JOIN mail m "
                              "ON m.id = n.mail WHERE " DEFERRED ") LIMIT ?2"},
        [RECHECK_SENDING] = {.list = LIST
                             "id FROM (SELECT m.id FROM mail m INDEXED BY mail_status CROSS "
                             "JOIN job ON job.id = m.job WHERE " SENDING
                             " UNION ALL SELECT m.id FROM mail m INDEXED BY mail_status CROSS "
                             "JOIN notice n ON n.mail = m.id AND n.active = 1 CROSS JOIN job "
                             "ON job.id = n.job WHERE " SENDING ") LIMIT ?2"},
};

size_t spool_recheck_list(struct spool *spool, enum recheck kind, size_t max)
{
	if (kind == RECHECK_HELD || kind == RECHECK_WATCHED || kind == RECHECK_DEFERRED)
		find_unlisted(spool);
	struct db_query *q = spool_query(spool, kinds[kind].list);
	db_bind_int(q, 1, kind);
	db_bind_int(q, 2, (int64_t)max);
	spool_run(spool, q);
	q = spool_query(spool, "SELECT count(*) FROM (SELECT 1 FROM temp.recheck WHERE kind = ?1 "
	                       "LIMIT ?2)");
	db_bind_int(q, 1, kind);
	db_bind_int(q, 2, (int64_t)max);
	return (size_t)spool_run_int(spool, q, 0);
}

int64_t spool_recheck_count(struct spool *spool, enum recheck kind, int64_t max)
{
	if (kind == RECHECK_WAITING)
		return spool_wait_count(spool);
	if (kind == RECHECK_DEFERRED)
		return spool_mail_count(spool, STATUS_DEFERRED);
	if (kind == RECHECK_SENDING)
		return spool_mail_count(spool, STATUS_SENDING);
	struct db_query *q = spool_query(spool, kinds[kind].count);
	db_bind_int(q, 1, max);
	return spool_run_int(spool, q, 0);
}

size_t spool_recheck_listed(struct spool *spool, enum recheck kind, int64_t *ret, size_t max)
{
	struct db_query *q = spool_query(
	        spool, "SELECT id FROM temp.recheck WHERE kind = ?1 ORDER BY id LIMIT ?2");
	db_bind_int(q, 1, kind);
	db_bind_int(q, 2, (int64_t)max);
	return spool_run_ids(spool, q, ret, max);
}

bool spool_recheck_lists(struct spool *spool, enum recheck kind)
{
	int64_t id;
	return spool_recheck_listed(spool, kind, &id, 1) > 0;
}

bool spool_recheck_lists_held_for(struct spool *spool, const char *customer)
{
	struct db_query *q = spool_query(
	        spool, "SELECT 1 FROM " SPOOL_JOBS_OF(
	                       "?1") " AS job CROSS JOIN request INDEXED BY request_held_job ON "
	                             "request.job = job.id WHERE request.status = 'held' AND "
	                             "EXISTS (SELECT 1 FROM temp.recheck WHERE kind = ?2 AND id = "
	                             "request.id) "
	                             "LIMIT 1");
	db_bind_text(q, 1, customer);
	db_bind_int(q, 2, RECHECK_HELD);
	return spool_run_int(spool, q, 0) != 0;
}

void spool_recheck_done(struct spool *spool, enum recheck kind, int64_t after, int64_t upto)
{
	struct db_query *q = spool_query(
	        spool, "DELETE FROM temp.recheck WHERE kind = ?1 AND id > ?2 AND id <= ?3");
	db_bind_int(q, 1, kind);
	db_bind_int(q, 2, after);
	db_bind_int(q, 3, upto);
	spool_run(spool, q);
}

/* ---- Up to where that was done ---- */

void spool_followed(struct spool *spool, struct spool_followed *ret)
{
	ret->seq = spool_run_int(
	        spool, spool_query(spool, "SELECT value FROM meta WHERE key = 'followed'"), -1);
	spool_get_text(spool, "SELECT value FROM meta WHERE key = 'followed_mark'", ret->mark,
	               sizeof ret->mark);
	spool_get_text(spool, "SELECT value FROM meta WHERE key = 'followed_rules'", ret->rules,
	               sizeof ret->rules);
}

void spool_set_followed(struct spool *spool, const struct spool_followed *followed)
{
	struct db_query *q = spool_query(
	        spool,
	        "INSERT INTO meta (key, value) VALUES ('followed', ?1), ('followed_mark', ?2),"
	        " ('followed_rules', ?3) ON CONFLICT (key) DO UPDATE SET value = "
	        "excluded.value");
	db_bind_int(q, 1, followed->seq);
	db_bind_text(q, 2, followed->mark);
	db_bind_text(q, 3, followed->rules);
	spool_run(spool, q);
}
