/* SPDX-License-Identifier: MIT */
/* The spool as a whole: opening, transactions, the fault that is kept. The tables' own files are
 * spool_*.c. */
#include "spool/spool.h"

#include "db/db_private.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char spool_1[] =
#include "spool_1.sql.h"
        ;
static const char spool_2[] =
#include "spool_2.sql.h"
        ;
static const char spool_3[] =
#include "spool_3.sql.h"
        ;
static const char spool_4[] =
#include "spool_4.sql.h"
        ;
static const char spool_5[] =
#include "spool_5.sql.h"
        ;

static const char spool_6[] =
#include "spool_6.sql.h"
        ;

static const char *const migrations[] = {spool_1, spool_2, spool_3, spool_4, spool_5, spool_6};

static const struct db_schema schema = {
        .name = "spool.db",
        .application_id = DB_ID_SPOOL,
        .migrations = migrations,
        .n_migrations = sizeof migrations / sizeof migrations[0],
        .digest = "50aa3226a55958a4192886ecef2c48e491f840462e6af07e2eda00619e7ba7f7",
        .remedy = "stop dispatchd, move the file with its -wal and -shm aside, and put a backup in "
                  "its place, or none: then mails and held jobs in it are lost; see RECOVERY in "
                  "dispatchd(8)",
};

struct db_query *spool_query(struct spool *spool, const char *sql)
{
	return db_query(spool->db, sql);
}

bool spool_row(struct spool *spool, struct db_query *query)
{
	if (spool->failed) {
		db_finish(query);
		return false;
	}
	enum db_step step = db_step(query, &spool->fault);
	if (step == DB_FAULT) {
		spool->failed = true;
		if (db_answer(spool->db) == DB_WRONG || db_answer(spool->db) == DB_CONSTRAINT)
			bug("spool: %s", spool->fault.text);
	}
	return step == DB_ROW;
}

void spool_run(struct spool *spool, struct db_query *query)
{
	while (spool_row(spool, query))
		;
}

int64_t spool_run_int(struct spool *spool, struct db_query *query, int64_t none)
{
	if (!spool_row(spool, query))
		return none;
	int64_t value = db_is_null(query, 0) ? none : db_int(query, 0);
	db_finish(query);
	return value;
}

size_t spool_run_ids(struct spool *spool, struct db_query *query, int64_t *ret, size_t max)
{
	size_t n = 0;
	while (spool_row(spool, query)) {
		if (n < max)
			ret[n++] = db_int(query, 0);
	}
	return n;
}

int64_t spool_find_digest(struct spool *spool, const char *sql, const char *source, const char *id,
                          unsigned char ret_digest[EVENT_DIGEST_SIZE])
{
	struct db_query *q = spool_query(spool, sql);
	db_bind_text(q, 1, source);
	db_bind_text(q, 2, id);
	if (!spool_row(spool, q))
		return 0;
	int64_t found = db_int(q, 0);
	size_t len;
	const void *digest = db_peek_blob(q, 1, &len);
	if (ret_digest != NULL && digest != NULL && len == EVENT_DIGEST_SIZE)
		memcpy(ret_digest, digest, len);
	db_finish(q);
	return found;
}

/* Most mails are sent, and the index of the others leaves those out: they are the remainder. */
static void count(struct spool *spool)
{
	struct db_query *q =
	        spool_query(spool, "SELECT status, count(*) FROM mail WHERE status <> 'sent' GROUP "
	                           "BY status UNION ALL SELECT 'sent', (SELECT count(*) FROM mail) "
	                           "- (SELECT count(*) FROM mail WHERE status <> 'sent')");
	while (spool_row(spool, q)) {
		const char *name = db_peek_text(q, 0, NULL);
		spool->mails[status_find(name ? name : "")] = db_int(q, 1);
	}
	spool->waits = spool_run_int(spool, spool_query(spool, "SELECT count(*) FROM waiting"), 0);
	memcpy(spool->mails_before, spool->mails, sizeof spool->mails);
	spool->waits_before = spool->waits;
}

bool spool_inspect(const char *path, struct error *err)
{
	return db_inspect(path, &schema, err);
}

struct spool *spool_open(const char *path, enum db_mode mode, struct error *err)
{
	struct db *db = db_open(path, &schema, mode, err);
	if (db == NULL)
		return NULL;
	struct spool *spool = mem_alloc(sizeof *spool);
	spool->db = db;
	struct db_query *q = spool_query(spool, "SELECT value FROM meta WHERE key = 'instance'");
	if (spool_row(spool, q)) {
		const char *text = db_peek_text(q, 0, NULL);
		(void)snprintf(spool->instance, sizeof spool->instance, "%s", text ? text : "");
		db_finish(q);
	}
	count(spool);
	if (spool->failed) {
		if (err != NULL)
			*err = spool->fault;
		return spool_close(spool);
	}
	return spool;
}

bool spool_check(struct spool *spool, struct error *err)
{
	return db_check(spool->db, err);
}

struct spool *spool_close(struct spool *spool)
{
	if (spool != NULL)
		db_close(spool->db);
	free(spool);
	return NULL;
}

bool spool_begin(struct spool *spool, struct error *err)
{
	spool->failed = false;
	spool->last_mail = 0;
	return db_begin(spool->db, err);
}

bool spool_commit(struct spool *spool, struct error *err)
{
	if (spool->failed) {
		if (err != NULL)
			*err = spool->fault;
		spool_rollback(spool);
		return false;
	}
	if (!db_commit(spool->db, err)) {
		spool_rollback(spool);
		return false;
	}
	memcpy(spool->mails_before, spool->mails, sizeof spool->mails);
	spool->waits_before = spool->waits;
	return true;
}

void spool_rollback(struct spool *spool)
{
	db_rollback(spool->db);
	spool->failed = false;
	memcpy(spool->mails, spool->mails_before, sizeof spool->mails);
	spool->waits = spool->waits_before;
}

bool spool_failed(const struct spool *spool)
{
	return spool->failed;
}

void spool_fail(struct spool *spool, const struct error *fault)
{
	if (!spool->failed)
		spool->fault = *fault;
	spool->failed = true;
}

bool spool_begin_read(struct spool *spool, struct error *err)
{
	spool->failed = false;
	return db_begin_read(spool->db, err);
}

void spool_end_read(struct spool *spool)
{
	db_end_read(spool->db);
}

const char *spool_instance(const struct spool *spool)
{
	return spool->instance;
}

static void get_text(struct spool *spool, const char *sql, char *ret, size_t size)
{
	struct db_query *q = spool_query(spool, sql);
	ret[0] = '\0';
	if (!spool_row(spool, q))
		return;
	const char *text = db_peek_text(q, 0, NULL);
	(void)snprintf(ret, size, "%s", text ? text : "");
	db_finish(q);
}

void spool_known(struct spool *spool, struct spool_known *ret)
{
	get_text(spool, "SELECT value FROM meta WHERE key = 'customers'", ret->identity,
	         sizeof ret->identity);
	get_text(spool, "SELECT value FROM meta WHERE key = 'customers_stamp'", ret->stamp,
	         sizeof ret->stamp);
}

void spool_set_known(struct spool *spool, const struct spool_known *known)
{
	struct db_query *q =
	        spool_query(spool, "INSERT INTO meta (key, value) VALUES ('customers', ?1),"
	                           " ('customers_stamp', ?2)"
	                           " ON CONFLICT (key) DO UPDATE SET value = excluded.value");
	db_bind_text(q, 1, known->identity);
	db_bind_text(q, 2, known->stamp);
	spool_run(spool, q);
}

/* ---- Old records ---- */

struct purge { /* children before parents */
	/* Ids, and jobs that may be orphans then (0: none), before ?1, at most ?2. */
	const char *find;
	const char *remove; /* by id */
};

#define ENDED "('sent','failed','superseded','expired','suppressed','cancelled')"

/* An event stays while a mail reports it, an answer while the job that it holds is held. */
static const struct purge purges[] = {
        {"SELECT seq, 0 FROM outcome WHERE time < ?1 AND seq <= (SELECT value FROM meta WHERE key "
         "= 'published') AND NOT EXISTS (SELECT 1 FROM request WHERE request.status = 'held' AND "
         "request.answer = outcome.seq) ORDER BY time LIMIT ?2",
         "DELETE FROM outcome WHERE seq = ?1"},
        {"SELECT id, 0 FROM mail WHERE changed < ?1 AND status IN " ENDED
         " ORDER BY changed LIMIT ?2",
         "DELETE FROM notice WHERE mail = ?1"},
        {"SELECT id, 0 FROM mail WHERE changed < ?1 AND status IN " ENDED
         " ORDER BY changed LIMIT ?2",
         "DELETE FROM mail_context WHERE mail = ?1"},
        {"SELECT id, 0 FROM mail WHERE changed < ?1 AND status IN " ENDED
         " ORDER BY changed LIMIT ?2",
         "DELETE FROM mail WHERE id = ?1"},
        {"SELECT id, job FROM event WHERE received < ?1 AND NOT EXISTS (SELECT 1 FROM notice WHERE "
         "notice.event = event.id) ORDER BY received LIMIT ?2",
         "DELETE FROM event WHERE id = ?1"},
        {"SELECT id, job FROM request WHERE changed < ?1 AND status <> 'held' ORDER BY changed "
         "LIMIT ?2",
         "DELETE FROM request WHERE id = ?1"},
};

/* A job is forgotten with the last row that refers to it. */
static const char *const orphans[] = {
        "DELETE FROM collision WHERE job = ?1 AND NOT EXISTS (SELECT 1 FROM event WHERE job = ?1)",
        "DELETE FROM job WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM event WHERE job = ?1) AND NOT "
        "EXISTS (SELECT 1 FROM notice WHERE job = ?1) AND NOT EXISTS (SELECT 1 FROM request WHERE "
        "job = ?1) AND NOT EXISTS (SELECT 1 FROM collision WHERE job = ?1)",
};

static void remove_id(struct spool *spool, const char *sql, int64_t id)
{
	struct db_query *q = spool_query(spool, sql);
	db_bind_int(q, 1, id);
	spool_run(spool, q);
}

/* True where there may be more. */
static bool purge(struct spool *spool, const struct purge *row, struct instant before, size_t max,
                  struct arena *arena)
{
	int64_t *ids = arena_new_array(arena, max * 2, int64_t);
	size_t n = 0;
	struct db_query *q = spool_query(spool, row->find);
	db_bind_int(q, 1, before.ms);
	db_bind_int(q, 2, (int64_t)max);
	while (spool_row(spool, q)) {
		if (n == max)
			continue;
		ids[2 * n] = db_int(q, 0);
		ids[2 * n++ + 1] = db_int(q, 1);
	}
	for (size_t i = 0; i < n; i++) {
		remove_id(spool, row->remove, ids[2 * i]);
		for (size_t k = 0; ids[2 * i + 1] != 0 && k < sizeof orphans / sizeof orphans[0];
		     k++)
			remove_id(spool, orphans[k], ids[2 * i + 1]);
	}
	return n == max;
}

/* A mail may be tried for weeks, and names its set for as long as it is kept after that. */
static void purge_templates(struct spool *spool, struct instant before)
{
	static const int64_t spare_ms = INT64_C(60) * 24 * 3600 * 1000;
	struct db_query *q = spool_query(spool, "DELETE FROM template_set WHERE ended < ?1");
	db_bind_int(q, 1, before.ms - spare_ms);
	spool_run(spool, q);
}

bool spool_purge(struct spool *spool, struct instant before, size_t max)
{
	struct arena *arena = arena_new();
	bool more = false;
	for (size_t i = 0; i < sizeof purges / sizeof purges[0]; i++)
		more |= purge(spool, &purges[i], before, max, arena);
	purge_templates(spool, before);
	arena_free(arena);
	return more;
}

int64_t spool_data_version(struct spool *spool)
{
	return db_data_version(spool->db);
}
