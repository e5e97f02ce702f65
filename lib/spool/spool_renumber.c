/* SPDX-License-Identifier: MIT */
/*
 * Jobs follow their customer to another number. Where the new number has a job of the same id
 * already (of a customer who had the number before and is gone), the two are one from then on: a
 * job is known by (customer, job).
 */
#include "spool/spool.h"

#include "spool/spool_private.h"

/* What points to a job: `?1` the one that stays, `?2` the one that goes into it. */
static const char *const takings[] = {
        "UPDATE event SET job = ?1 WHERE job = ?2",
        "UPDATE mail SET job = ?1 WHERE job = ?2",
        "UPDATE notice SET job = ?1 WHERE job = ?2",
        "UPDATE outcome SET job = ?1 WHERE job = ?2",
        "UPDATE request SET job = ?1 WHERE job = ?2",
        "INSERT OR IGNORE INTO collision SELECT ?1, state FROM collision WHERE job = ?2",
        "DELETE FROM collision WHERE job = ?2",
        ("DELETE FROM customer_job WHERE job = ?2 AND customer = (SELECT customer FROM job WHERE "
         "id = ?2)"),
        "DELETE FROM job WHERE id = ?2",
};

static void take_in(struct spool *spool, int64_t job, int64_t other, struct arena *arena)
{
	for (size_t i = 0; i < sizeof takings / sizeof takings[0]; i++) {
		struct db_query *q = spool_query(spool, takings[i]);
		db_bind_int(q, 1, job);
		db_bind_int(q, 2, other);
		spool_run(spool, q);
	}
	spool_outcomes_forget(spool);
	size_t n;
	struct job_mark *marks = spool_marks(spool, job, arena, &n);
	const struct job_mark *is = job_state_of(marks, n);
	if (is != NULL)
		spool_job_set_state(spool, job, is->state);
}

static void take_in_all(struct spool *spool, const char *before, const char *after,
                        struct arena *arena)
{
	size_t n = 0, cap = 0;
	int64_t *pairs = NULL;
	struct db_query *q =
	        spool_query(spool, "SELECT a.id, b.id FROM job a JOIN job b ON b.job = a.job"
	                           " WHERE a.id IN " SPOOL_JOBS_OF("?1") " AND b.customer = ?2");
	db_bind_text(q, 1, before);
	db_bind_text(q, 2, after);
	while (spool_row(spool, q)) {
		pairs = arena_grow(arena, pairs, n, &cap, 2 * sizeof *pairs);
		pairs[2 * n] = db_int(q, 0);
		pairs[2 * n++ + 1] = db_int(q, 1);
	}
	for (size_t i = 0; i < n; i++)
		take_in(spool, pairs[2 * i], pairs[2 * i + 1], arena);
}

size_t spool_renumber(struct spool *spool, const char *before, const char *after,
                      struct arena *arena)
{
	take_in_all(spool, before, after, arena);
	struct db_query *q =
	        spool_query(spool, "UPDATE job SET began_as = coalesce(began_as, "
	                           "customer), customer = ?2 WHERE id IN " SPOOL_JOBS_OF("?1"));
	db_bind_text(q, 1, before);
	db_bind_text(q, 2, after);
	spool_run(spool, q);
	size_t n = (size_t)db_changes(spool->db);
	spool_jobs_moved(spool, before, after);
	return n;
}

void spool_renumber_contact(struct spool *spool, int64_t before, int64_t after)
{
	static const char *const followings[] = {
	        ("UPDATE notice SET contact = ?2 WHERE contact = ?1 AND mail IN (SELECT id FROM "
	         "mail WHERE contact = ?1)"),
	        "UPDATE mail SET contact = ?2, open = 0 WHERE contact = ?1",
	        "UPDATE bounce SET contact = ?2 WHERE contact = ?1",
	        "UPDATE opt_out_answer SET contact = ?2 WHERE contact = ?1",
	        "UPDATE OR REPLACE strike SET contact = ?2 WHERE contact = ?1",
	};
	for (size_t i = 0; i < sizeof followings / sizeof followings[0]; i++) {
		struct db_query *q = spool_query(spool, followings[i]);
		db_bind_int(q, 1, before);
		db_bind_int(q, 2, after);
		spool_run(spool, q);
	}
}

int64_t spool_renumbered(struct spool *spool)
{
	return spool_run_int(
	        spool, spool_query(spool, "SELECT value FROM meta WHERE key = 'renumbered'"), 0);
}

void spool_set_renumbered(struct spool *spool, int64_t id)
{
	struct db_query *q =
	        spool_query(spool, "UPDATE meta SET value = ?1 WHERE key = 'renumbered'");
	db_bind_int(q, 1, id);
	spool_run(spool, q);
}

const char *spool_job_began_as(struct spool *spool, int64_t job, const char *customer,
                               struct arena *arena)
{
	struct db_query *q = spool_query(spool, "SELECT began_as FROM job WHERE id = ?1");
	db_bind_int(q, 1, job);
	if (!spool_row(spool, q))
		return customer;
	const char *number = db_is_null(q, 0) ? customer : db_text(q, 0, arena);
	db_finish(q);
	return number;
}
