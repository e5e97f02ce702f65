/* SPDX-License-Identifier: MIT */
/*
 * Old records go. Ids follow time, so each table is gone through by id, a slice a call, up to the
 * first row that is too young: those behind it are younger still. No index is kept for this.
 *
 *   outcomes ─▶ mails ─▶ events, and jobs with their last row ─▶ requests ─▶ reports about mails
 *
 * A row that has to stay longer than its age says (a mail that waits, the answer of a held job) is
 * passed over and found again in a later round. So is one from the future: the clock was wrong
 * then, and must not end a round for years.
 */
#include "spool/spool.h"

#include "spool/spool_private.h"

/* Rows looked at in one step, between which a slice may end. */
enum { STEP = 64, REMOVES_MAX = 6 };

struct purge {
	/*
	 * From behind id ?1, at most ?2 rows: id, a job that may be an orphan then (0: none),
	 * whether the row goes (ended before ?3), whether it is too young (?4: now), a mail's
	 * status.
	 */
	const char *find;
	const char *removes[REMOVES_MAX]; /* by first and last id, children before parents */
	size_t weight;                    /* of a row that goes, in rows looked at */
};

#define ENDED      "('sent','failed','superseded','expired','suppressed','cancelled','bounced')"
#define YOUNG(col) col " >= ?3 AND " col " <= ?4"

/* An event stays while a mail or an outcome reports it, an answer while the job that it holds is
 * held. */
static const struct purge purges[] = {
        {"SELECT seq, 0, time < ?3 AND NOT EXISTS (SELECT 1 FROM request WHERE status = 'held' AND "
         "answer = seq), " YOUNG(
                 "time") " OR seq > (SELECT value FROM meta WHERE key = "
                         "'published'), NULL FROM outcome WHERE seq > ?1 ORDER BY seq LIMIT ?2",
         {"DELETE FROM outcome WHERE seq BETWEEN ?1 AND ?2"},
         4},
        {"SELECT id, 0, changed < ?3 AND status IN " ENDED
         ", " YOUNG("made") ", status FROM mail WHERE id > ?1 ORDER BY id LIMIT ?2",
         {("INSERT INTO meta (key, value) SELECT 'mail_floor', ?2 WHERE ?1 <= ?2 AND ?2 >= "
           "(SELECT max(id) FROM mail) ON CONFLICT (key) DO UPDATE SET value = max(value, "
           "excluded.value)"),
          "DELETE FROM notice WHERE mail BETWEEN ?1 AND ?2",
          "DELETE FROM mail_context WHERE mail BETWEEN ?1 AND ?2",
          "DELETE FROM reply WHERE mail BETWEEN ?1 AND ?2",
          "DELETE FROM opt_out_answer WHERE mail BETWEEN ?1 AND ?2",
          "DELETE FROM mail WHERE id BETWEEN ?1 AND ?2"},
         12},
        {"SELECT id, job, received < ?3 AND NOT EXISTS (SELECT 1 FROM mail WHERE mail.job = "
         "event.job AND mail.event = event.id) AND NOT EXISTS (SELECT 1 FROM notice WHERE event = "
         "event.id) AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.job = event.job AND "
         "outcome.event = event.id), " YOUNG(
                 "received") ", NULL FROM event WHERE id > ?1 ORDER BY id LIMIT ?2",
         {"DELETE FROM event WHERE id BETWEEN ?1 AND ?2"},
         12},
        {"SELECT id, job, changed < ?3 AND status <> 'held', " YOUNG(
                 "received") ", NULL FROM request WHERE id > ?1 ORDER BY id LIMIT ?2",
         {"DELETE FROM request WHERE id BETWEEN ?1 AND ?2"},
         12},
        {"SELECT id, 0, time < ?3, " YOUNG(
                 "time") ", NULL FROM bounce WHERE id > ?1 ORDER BY id LIMIT ?2",
         {"DELETE FROM bounce WHERE id BETWEEN ?1 AND ?2"},
         8},
};
enum { KINDS = sizeof purges / sizeof purges[0] };

/* A job is forgotten with the last row that refers to it. */
static const char unused_collisions[] =
        "DELETE FROM collision WHERE job = ?1 AND NOT EXISTS (SELECT 1 FROM event WHERE job = ?1)";
static const char unused_job[] =
        "DELETE FROM job WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM event WHERE job = ?1) AND NOT "
        "EXISTS (SELECT 1 FROM mail WHERE job = ?1) AND NOT EXISTS (SELECT 1 FROM notice WHERE job "
        "= ?1) AND NOT EXISTS (SELECT 1 FROM request WHERE job = ?1) AND NOT EXISTS (SELECT 1 FROM "
        "collision WHERE job = ?1) RETURNING customer";

static void remove_ids(struct spool *spool, const char *sql, int64_t first, int64_t last)
{
	struct db_query *q = spool_query(spool, sql);
	db_bind_int(q, 1, first);
	db_bind_int(q, 2, last);
	spool_run(spool, q);
}

static void remove_orphan(struct spool *spool, int64_t job, struct arena *arena)
{
	const char *customer = NULL;
	struct db_query *q = spool_query(spool, unused_collisions);
	db_bind_int(q, 1, job);
	spool_run(spool, q);
	q = spool_query(spool, unused_job);
	db_bind_int(q, 1, job);
	while (spool_row(spool, q))
		customer = db_text(q, 0, arena);
	if (customer != NULL)
		spool_job_removed(spool, job, customer);
}

struct step {
	int64_t ids[STEP], jobs[STEP]; /* of those that go */
	bool begins[STEP];             /* whether a row that stays is before it */
	unsigned n_mails[STATUS_COUNT];
	size_t n, looked_at;
	int64_t last;
	bool end; /* nothing behind is old */
};

static void find(struct spool *spool, const struct purge *kind, struct instant before,
                 struct instant now, struct step *ret)
{
	struct db_query *q = spool_query(spool, kind->find);
	bool stays = true;
	*ret = (struct step){.last = spool->purge.after};
	db_bind_int(q, 1, spool->purge.after);
	db_bind_int(q, 2, STEP);
	db_bind_int(q, 3, before.ms);
	db_bind_int(q, 4, now.ms);
	while (!ret->end && spool_row(spool, q)) {
		ret->end = db_int(q, 3) != 0;
		if (!ret->end && db_int(q, 2) != 0) {
			const char *status = db_peek_text(q, 4, NULL);
			ret->begins[ret->n] = stays;
			ret->ids[ret->n] = db_int(q, 0);
			ret->jobs[ret->n++] = db_int(q, 1);
			ret->n_mails[status ? status_find(status) : STATUS_NONE]++;
		}
		stays = ret->n == 0 || ret->ids[ret->n - 1] != db_int(q, 0);
		ret->last = db_int(q, 0);
		ret->looked_at++;
	}
	db_finish(q);
	ret->end |= ret->looked_at < STEP;
}

/* Range by range of rows between which none stays. */
static void remove_rows(struct spool *spool, const struct purge *kind, const struct step *step)
{
	for (size_t i = 0, end; i < step->n; i = end) {
		for (end = i + 1; end < step->n && !step->begins[end];)
			end++;
		for (size_t k = 0; k < REMOVES_MAX && kind->removes[k] != NULL; k++)
			remove_ids(spool, kind->removes[k], step->ids[i], step->ids[end - 1]);
	}
	struct arena *arena = arena_new();
	for (size_t i = 0; i < step->n; i++)
		if (step->jobs[i] != 0)
			remove_orphan(spool, step->jobs[i], arena);
	arena_free(arena);
}

/* What it took, in rows looked at. */
static size_t take_step(struct spool *spool, struct instant before, struct instant now)
{
	const struct purge *kind = &purges[spool->purge.kind];
	struct step step;
	find(spool, kind, before, now, &step);
	remove_rows(spool, kind, &step);
	for (int s = STATUS_NONE + 1; s < STATUS_COUNT; s++)
		spool->mails[s] -= step.n_mails[s];
	spool->purge.after = step.end ? 0 : step.last;
	spool->purge.kind += step.end;
	return 1 + step.looked_at + step.n * kind->weight;
}

/* A mail may be tried for weeks, and names its set for as long as it is kept after that. */
static void purge_templates(struct spool *spool, struct instant before)
{
	static const int64_t spare_ms = INT64_C(60) * 24 * 3600 * 1000;
	struct db_query *q = spool_query(spool, "DELETE FROM template_set WHERE ended < ?1");
	db_bind_int(q, 1, before.ms - spare_ms);
	spool_run(spool, q);
}

/* Days on which an address was busy mean nothing after a month. */
static void purge_strikes(struct spool *spool, struct instant now)
{
	static const int64_t kept_ms = INT64_C(40) * 24 * 3600 * 1000;
	struct db_query *q = spool_query(spool, "DELETE FROM strike WHERE time < ?1");
	db_bind_int(q, 1, now.ms - kept_ms);
	spool_run(spool, q);
}

bool spool_purge(struct spool *spool, struct instant before, struct instant now, size_t max)
{
	for (size_t taken = 0; taken < max && spool->purge.kind < KINDS && !spool->failed;)
		taken += take_step(spool, before, now);
	if (spool->purge.kind < KINDS)
		return true;
	spool->purge.kind = 0;
	spool_keys_purge(spool);
	purge_templates(spool, before);
	purge_strikes(spool, now);
	return false;
}
