/* SPDX-License-Identifier: MIT */
/* The spool as a whole: opening, transactions, the fault that is kept. The tables' own files are
 * spool_*.c. */
#include "spool/spool.h"

#include "base/buf.h"
#include "db/db_record.h"
#include "spool/event_keys.h"
#include "spool/spool_private.h"
#include "spool/spool_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void spool_get_digest(struct db_query *query, int column,
                      unsigned char ret_digest[EVENT_DIGEST_SIZE])
{
	size_t len;
	const void *digest = db_peek_blob(query, column, &len);
	if (ret_digest != NULL && digest != NULL && len == EVENT_DIGEST_SIZE)
		memcpy(ret_digest, digest, len);
}

void spool_get_text(struct spool *spool, const char *sql, char *ret, size_t size)
{
	struct db_query *q = spool_query(spool, sql);
	ret[0] = '\0';
	if (!spool_row(spool, q))
		return;
	const char *text = db_peek_text(q, 0, NULL);
	(void)snprintf(ret, size, "%s", text ? text : "");
	db_finish(q);
}

void spool_bind_short(struct spool *spool, struct db_query *query, int i, enum squeeze dictionary,
                      const char *text)
{
	if (text == NULL) {
		db_bind_null(query, i);
		return;
	}
	buf_reset(&spool->brief);
	squeeze(&spool->squeezer, dictionary, text, strlen(text), &spool->brief);
	db_bind_static_blob(query, i, spool->brief.data, spool->brief.len);
}

const char *spool_text(struct db_query *query, int column, struct arena *arena)
{
	size_t len = 0;
	const void *brief = db_peek_blob(query, column + 1, &len);
	const char *text = brief ? unsqueeze(brief, len, arena) : db_text(query, column, arena);
	return text ? text : "";
}

/* ---- Counts ----
 *
 * How many mails there are by status is a row of `meta`, "queued=1 sent=4711", written once a turn
 * with what it counts: a start has a million of them without going through a table. A spool of an
 * older version has none, and counts once.
 */

enum { COUNTS_MAX = 400 };

/* Most mails are sent, and the index of the others leaves those out: they are the remainder. */
static void count_mails(struct spool *spool)
{
	struct db_query *q =
	        spool_query(spool, "SELECT status, count(*) FROM mail WHERE status <> 'sent' GROUP "
	                           "BY status UNION ALL SELECT 'sent', (SELECT count(*) FROM mail) "
	                           "- (SELECT count(*) FROM mail WHERE status <> 'sent')");
	while (spool_row(spool, q)) {
		const char *name = db_peek_text(q, 0, NULL);
		spool->mails[status_find(name ? name : "")] = db_int(q, 1);
	}
}

#define COUNTS "SELECT value FROM meta WHERE key = 'mails'"

/* A word that there isn't anymore counts nothing; a name without a number isn't ours. */
static bool read_counts(struct spool *spool, char *text)
{
	char *at = text;
	for (char *word; (word = strsep(&at, " ")) != NULL;) {
		char *number = strchr(word, '=');
		if (number == NULL)
			return false;
		*number = '\0';
		if (strcmp(word, reason_name(REASON_HELD_BACK)) == 0)
			spool->held = strtoll(number + 1, NULL, 10);
		else
			spool->mails[status_find(word)] = strtoll(number + 1, NULL, 10);
	}
	return true;
}

int64_t spool_count_held(struct spool *spool)
{
	char text[COUNTS_MAX];
	if (spool->writes)
		return spool->held;
	spool_get_text(spool, COUNTS, text, sizeof text);
	const char *held = strstr(text, "held_back=");
	return held != NULL ? strtoll(held + strlen("held_back="), NULL, 10) : 0;
}

static void load_counts(struct spool *spool)
{
	char text[COUNTS_MAX];
	spool_get_text(spool, COUNTS, text, sizeof text);
	spool->counted = read_counts(spool, text);
	if (!spool->counted) {
		memset(spool->mails, 0, sizeof spool->mails);
		spool->held = 0;
		count_mails(spool);
	}
	spool->waits = spool_run_int(spool, spool_query(spool, "SELECT count(*) FROM waiting"), 0);
	memcpy(spool->mails_before, spool->mails, sizeof spool->mails);
	spool->held_before = spool->held;
	spool->waits_before = spool->waits;
}

static void keep_counts(struct spool *spool)
{
	struct buf text = {0};
	if (spool->counted && spool->held == spool->held_before &&
	    memcmp(spool->mails, spool->mails_before, sizeof spool->mails) == 0)
		return;
	for (int i = STATUS_NONE + 1; i < STATUS_COUNT; i++) {
		if (spool->mails[i] != 0)
			buf_printf(&text, "%s%s=%lld", text.len > 0 ? " " : "",
			           status_name((enum status)i), (long long)spool->mails[i]);
	}
	if (spool->held != 0)
		buf_printf(&text, " %s=%lld", reason_name(REASON_HELD_BACK),
		           (long long)spool->held);
	struct db_query *q =
	        spool_query(spool, "INSERT INTO meta (key, value) VALUES ('mails', ?1) ON CONFLICT "
	                           "(key) DO UPDATE SET value = excluded.value");
	db_bind_text(q, 1, text.len > 0 ? buf_text(&text) : "queued=0");
	spool_run(spool, q);
	buf_free(&text);
}

/* ---- Opening ---- */

int64_t spool_schema_version(void)
{
	return (int64_t)spool_schema()->n_migrations;
}

bool spool_inspect(const char *path, struct error *err)
{
	return db_inspect(path, spool_schema(), err);
}

struct spool *spool_open(const char *path, enum db_mode mode, struct error *err)
{
	struct db *db = db_open(path, spool_schema(), mode, err);
	if (db == NULL)
		return NULL;
	struct spool *spool = mem_alloc(sizeof *spool);
	spool->db = db;
	spool->writes = mode == DB_WRITE || mode == DB_OWN;
	struct db_query *q = spool_query(spool, "SELECT value FROM meta WHERE key = 'instance'");
	if (spool_row(spool, q)) {
		const char *text = db_peek_text(q, 0, NULL);
		(void)snprintf(spool->instance, sizeof spool->instance, "%s", text ? text : "");
		db_finish(q);
	}
	/* A standby counts nothing, and the file may be of an older version. */
	if (mode != DB_FOLLOW)
		load_counts(spool);
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
	if (spool != NULL) {
		arena_free(spool->recent.arena);
		arena_free(spool->jobs.listing);
		spool->keys = event_keys_free(spool->keys);
		squeezer_free(spool->squeezer);
		buf_free(&spool->brief);
		buf_free(&spool->all);
		spool->record = db_record_free(spool->record);
		spool->follower = db_follower_free(spool->follower);
		db_close(spool->db);
	}
	free(spool);
	return NULL;
}

struct db *spool_db(struct spool *spool)
{
	return spool->db;
}

int64_t spool_floor(struct spool *spool, const char *table)
{
	struct db_query *q =
	        spool_query(spool, "SELECT value FROM meta WHERE key = ?1 || '_floor'");
	db_bind_text(q, 1, table);
	return spool_run_int(spool, q, 0);
}

static bool spool_record_begin(struct spool *spool, struct error *err)
{
	/* Each member of a cluster has its own. */
	static const char *const not_recorded[] = {"journal_position", NULL};
	if (!spool->records)
		return true;
	spool->record = db_record_begin(spool->db, not_recorded, err);
	return spool->record != NULL;
}

bool spool_begin(struct spool *spool, struct error *err)
{
	spool->failed = false;
	spool->last_mail = spool->last_outcome = 0;
	spool->complete = false;
	if (!db_begin(spool->db, err))
		return false;
	if (spool_record_begin(spool, err))
		return true;
	db_rollback(spool->db);
	return false;
}

/* Once a turn, where a mail was delivered in it. */
static void write_last_sent(struct spool *spool)
{
	if (spool->last_sent.ms == spool->last_sent_before.ms)
		return;
	struct db_query *q =
	        spool_query(spool, "UPDATE meta SET value = ?1 WHERE key = 'last_sent'");
	db_bind_instant(q, 1, spool->last_sent);
	spool_run(spool, q);
}

void spool_complete(struct spool *spool)
{
	if (spool->complete)
		return;
	write_last_sent(spool);
	keep_counts(spool);
	spool->complete = true;
}

bool spool_commit(struct spool *spool, struct error *err)
{
	spool_complete(spool);
	spool->record = db_record_free(spool->record);
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
	spool->held_before = spool->held;
	spool->counted = true;
	spool->waits_before = spool->waits;
	spool->last_sent_before = spool->last_sent;
	return true;
}

void spool_rollback(struct spool *spool)
{
	spool->record = db_record_free(spool->record);
	db_rollback(spool->db);
	spool->failed = false;
	memcpy(spool->mails, spool->mails_before, sizeof spool->mails);
	spool->held = spool->held_before;
	spool->waits = spool->waits_before;
	spool->last_sent = spool->last_sent_before;
	spool_outcomes_forget(spool);
	spool->keys = event_keys_free(spool->keys);
	arena_free(spool->jobs.listing);
	memset(&spool->jobs, 0, sizeof spool->jobs);
	spool->rechecked_unlisted = false;
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
	spool->keys = event_keys_free(spool->keys);
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

void spool_known(struct spool *spool, struct spool_known *ret)
{
	spool_get_text(spool, "SELECT value FROM meta WHERE key = 'customers'", ret->identity,
	               sizeof ret->identity);
	spool_get_text(spool, "SELECT value FROM meta WHERE key = 'customers_stamp'", ret->stamp,
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

int64_t spool_data_version(struct spool *spool)
{
	return db_data_version(spool->db);
}
