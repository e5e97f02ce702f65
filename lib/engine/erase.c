/* SPDX-License-Identifier: MIT */
/*
 * Customers that the office erased (records/record_erase.c): their jobs are marked at the beginning
 * of the turn that sees it, before a new customer of the same number has any, and lose their words
 * in the first turn in which nothing of them is under way anymore.
 */
#include "engine/erase.h"

#include "engine/engine_private.h"
#include "engine/report.h"

#include <syslog.h>

enum { JOBS_A_TURN = 100 };

void engine_follow_erased(struct engine *engine)
{
	const char **numbers;
	size_t n;
	struct error err;
	if (!engine->customers_came)
		return;
	int64_t known = spool_erased(engine->spool), last;
	if (!customers_erased(engine->customers, known, engine->arena, &numbers, &n, &last, &err)) {
		spool_fail(engine->spool, &err);
		return;
	}
	for (size_t i = 0; i < n; i++)
		spool_erase_customer(engine->spool, numbers[i]);
	if (last != known) /* less than before, where a backup was put in its place */
		spool_set_erased(engine->spool, last);
}

void engine_erase(struct engine *engine)
{
	int64_t jobs[JOBS_A_TURN];
	size_t n = spool_erasable(engine->spool, jobs, JOBS_A_TURN);
	if (n == 0)
		return;
	spool_wipe_deleted(engine->spool, true);
	for (size_t i = 0; i < n; i++)
		spool_erase_job(engine->spool, jobs[i], engine->arena);
	spool_wipe_deleted(engine->spool, false);
	engine->erased = true;
	engine->out->more |= n == JOBS_A_TURN;
	engine_report(engine, LOG_NOTICE, "erased jobs=%zu", n);
}
