/* SPDX-License-Identifier: MIT */
/*
 * Customers that the office erased (records/record_erase.c): their jobs are marked at the beginning
 * of the turn that sees it, before a new customer of the same number has any, and lose their words
 * in the first turn in which nothing of them is under way anymore. Answers to wishes for fewer
 * mails (opt_out_answer.h) are of no job: they lose theirs at once.
 */
#include "engine/erase.h"

#include "engine/engine_private.h"
#include "engine/report.h"
#include "records/contact_choice.h"
#include "spool/spool_answer.h"

#include <sysexits.h>
#include <syslog.h>

enum { JOBS_A_TURN = 100 };

/* Answers to contacts that are gone: no job leads to them. */
static void erase_answers(struct engine *engine)
{
	struct contact_choice ignored;
	struct error err;
	size_t n;
	int64_t *contacts = spool_answered_contacts(engine->spool, engine->arena, &n);
	spool_wipe_deleted(engine->spool, true);
	for (size_t i = 0; i < n; i++) {
		if (contact_choice_load(engine->customers, contacts[i], engine->arena, &ignored,
		                        &err))
			continue;
		if (err.code == EX_NOINPUT)
			spool_answers_wipe(engine->spool, contacts[i]);
		else
			spool_fail(engine->spool, &err); /* erased another time */
	}
	spool_wipe_deleted(engine->spool, false);
	engine->erased |= n > 0;
}

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
	if (n > 0)
		erase_answers(engine);
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
	engine_report_act(engine, LOG_NOTICE, "erased jobs=%zu", n);
}
