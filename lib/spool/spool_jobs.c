/* SPDX-License-Identifier: MIT */
/*
 * Jobs, and which are a customer's (`customer_job`). Jobs of many customers come at once when there
 * is much to do, and each customer's are at a place of its own there: a page that is read and
 * written for one row. So, while many come, they stay behind meta.jobs_listed, where queries find
 * them by their ids (SPOOL_JOBS_OF), until there are LIST_MAX of them; then they are listed in the
 * order of customers, a slice a turn, many to a page. When few come, they are listed in their turn,
 * but once a second at most; turns with few events are between those with many, too.
 *
 *   job    1 … 40000 │ 40001 … 72768 │ 72769 …
 *          listed    │ being listed  │ came since
 *                    └ meta.jobs_listed
 *
 * A listing is in memory alone: the one that comes after a crash begins again, and finds some rows
 * there. It belongs to the transaction, and is given up with a turn that fails, or when one of its
 * jobs is removed or gets another customer.
 */
#include "spool/spool.h"

#include "spool/spool_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	LIST_MAX = 32768,
	SLICE = 1024,    /* rows a turn */
	AGAIN_MS = 50,   /* between slices, while nothing else is done */
	FEW = 32,        /* new jobs of a turn, with which all are listed in it */
	QUIET_MS = 1000, /* and none were, nor came many, for so long */
};

/* ---- Jobs ---- */

int64_t spool_job_find(struct spool *spool, const char *customer, const char *job)
{
	struct db_query *q =
	        spool_query(spool, "SELECT id FROM job WHERE job = ?1 AND customer = ?2");
	db_bind_static_text(q, 1, job);
	db_bind_static_text(q, 2, customer);
	return spool_run_int(spool, q, 0);
}

int64_t spool_job(struct spool *spool, const char *customer, const char *job)
{
	int64_t id = spool_job_find(spool, customer, job);
	return id != 0 ? id : spool_job_add(spool, customer, job, JOB_NONE);
}

static void load(struct spool *spool)
{
	if (spool->jobs.known)
		return;
	spool->jobs.listed = spool_run_int(
	        spool, spool_query(spool, "SELECT value FROM meta WHERE key = 'jobs_listed'"), 0);
	spool->jobs.last = spool_run_int(spool, spool_query(spool, "SELECT max(id) FROM job"), 0);
	if (spool->jobs.last < spool->jobs.listed)
		spool->jobs.last = spool->jobs.listed;
	spool->jobs.before = spool->jobs.last;
	spool->jobs.known = true;
}

/* Behind all that are listed, even where the last ones have gone. */
int64_t spool_job_add(struct spool *spool, const char *customer, const char *job,
                      enum job_state state)
{
	load(spool);
	struct db_query *q = spool_query(
	        spool, "INSERT INTO job (id, job, customer, state) VALUES (?1, ?2, ?3, ?4)");
	db_bind_int(q, 1, ++spool->jobs.last);
	db_bind_static_text(q, 2, job);
	db_bind_static_text(q, 3, customer);
	db_bind_static_text(q, 4, job_state_name(state));
	spool_run(spool, q);
	return spool->jobs.last;
}

void spool_job_set_state(struct spool *spool, int64_t job, enum job_state state)
{
	struct db_query *q = spool_query(spool, "UPDATE job SET state = ?2 WHERE id = ?1");
	db_bind_int(q, 1, job);
	db_bind_static_text(q, 2, job_state_name(state));
	spool_run(spool, q);
}

/* ---- The list ---- */

static int by_customer(const void *a, const void *b)
{
	const struct spool_listed_job *x = a, *y = b;
	int order = strcmp(x->customer, y->customer);
	return order ? order : (x->job > y->job) - (x->job < y->job);
}

void spool_jobs_unlist(struct spool *spool)
{
	spool->jobs.listing = arena_free(spool->jobs.listing);
	spool->jobs.rows = NULL;
	spool->jobs.n = spool->jobs.next = 0;
}

/* All that came since the last listing, but no more than LIST_MAX. */
static void start(struct spool *spool)
{
	struct arena *arena = arena_new();
	size_t n = 0, cap = 0;
	struct spool_listed_job *rows = NULL;
	struct db_query *q = spool_query(
	        spool, "SELECT id, customer FROM job WHERE id > ?1 ORDER BY id LIMIT ?2");
	db_bind_int(q, 1, spool->jobs.listed);
	db_bind_int(q, 2, LIST_MAX);
	spool->jobs.upto = spool->jobs.last;
	while (spool_row(spool, q)) {
		rows = arena_grow(arena, rows, n, &cap, sizeof *rows);
		rows[n++] = (struct spool_listed_job){.job = db_int(q, 0),
		                                      .customer = db_text(q, 1, arena)};
	}
	if (n == LIST_MAX)
		spool->jobs.upto = rows[n - 1].job;
	if (n > 1)
		qsort(rows, n, sizeof *rows, by_customer);
	spool->jobs.listing = arena;
	spool->jobs.rows = rows;
	spool->jobs.n = n;
	spool->jobs.next = 0;
}

static void end(struct spool *spool)
{
	struct db_query *q =
	        spool_query(spool, "UPDATE meta SET value = ?1 WHERE key = 'jobs_listed'");
	db_bind_int(q, 1, spool->jobs.upto);
	spool_run(spool, q);
	spool->jobs.listed = spool->jobs.upto;
	spool_jobs_unlist(spool);
}

static void list_slice(struct spool *spool)
{
	for (size_t i = 0; i < SLICE && spool->jobs.next < spool->jobs.n; i++) {
		const struct spool_listed_job *row = &spool->jobs.rows[spool->jobs.next++];
		struct db_query *q = spool_query(
		        spool,
		        "INSERT OR IGNORE INTO customer_job (customer, job) VALUES (?1, ?2)");
		db_bind_text(q, 1, row->customer);
		db_bind_int(q, 2, row->job);
		spool_run(spool, q);
	}
	if (spool->jobs.next == spool->jobs.n)
		end(spool);
}

/* Also where the clock was set back. */
static bool is_quiet(const struct spool *spool, struct instant now)
{
	int64_t since_ms = now.ms - spool->jobs.busy_ms;
	return since_ms < 0 || since_ms >= QUIET_MS;
}

struct instant spool_list_jobs(struct spool *spool, struct instant now)
{
	load(spool);
	if (spool->jobs.last - spool->jobs.before >= FEW)
		spool->jobs.busy_ms = now.ms;
	spool->jobs.before = spool->jobs.last;
	if (spool->jobs.last == spool->jobs.listed)
		return INSTANT_NEVER;
	if (spool->jobs.listing == NULL &&
	    (is_quiet(spool, now) || spool->jobs.last - spool->jobs.listed >= LIST_MAX)) {
		start(spool);
		spool->jobs.busy_ms = now.ms;
	}
	if (spool->jobs.listing != NULL)
		list_slice(spool);
	if (spool->jobs.last == spool->jobs.listed)
		return INSTANT_NEVER;
	struct instant slice = instant_add(now, AGAIN_MS);
	struct instant listing = {spool->jobs.busy_ms + QUIET_MS};
	return spool->jobs.listing != NULL || listing.ms < slice.ms ? slice : listing;
}

void spool_jobs_moved(struct spool *spool, const char *before, const char *after)
{
	struct db_query *q = spool_query(
	        spool, "UPDATE OR REPLACE customer_job SET customer = ?2 WHERE customer = ?1");
	db_bind_text(q, 1, before);
	db_bind_text(q, 2, after);
	spool_run(spool, q);
	spool_jobs_unlist(spool);
}

void spool_job_removed(struct spool *spool, int64_t job, const char *customer)
{
	load(spool);
	struct db_query *q =
	        spool_query(spool, "DELETE FROM customer_job WHERE customer = ?1 AND job = ?2");
	db_bind_text(q, 1, customer);
	db_bind_int(q, 2, job);
	spool_run(spool, q);
	if (job > spool->jobs.listed)
		spool_jobs_unlist(spool);
}
