/* SPDX-License-Identifier: MIT */
/*
 * A customer's number may change (contract, section 8), or go with a customer that is merged into
 * another, and events, requests and the office name jobs by it. customers.db keeps the changes in
 * order; a turn that sees new ones first takes the jobs along, so that what comes under the new
 * number goes on with the job that there is. Both are read in one view: no turn knows the customer
 * by one number and its jobs by another.
 */
#include "engine/numbers.h"

#include "engine/engine_private.h"
#include "engine/report.h"
#include "mail/outgoing_mail.h"

#include <jansson.h>
#include <string.h>
#include <syslog.h>

/* Two contacts that became one: what was for the one is for the other. */
static void follow_contacts(struct engine *engine, const char *text)
{
	json_t *pairs = json_loads(text, 0, NULL), *pair;
	size_t i;
	json_array_foreach(pairs, i, pair)
	{
		json_int_t before, after;
		if (json_unpack(pair, "[I, I]", &before, &after) == 0)
			spool_renumber_contact(engine->spool, before, after);
	}
	json_decref(pairs);
}

static void follow(struct engine *engine, const struct renumbering *row)
{
	size_t n = spool_renumber(engine->spool, row->before, row->after, engine->arena);
	in_flight_drop_all(engine->in_flight); /* numbers, jobs, contacts */
	if (row->contacts != NULL)
		follow_contacts(engine, row->contacts);
	if (n > 0)
		engine_report_act(engine, LOG_NOTICE, "renumbered customer=%s was=%s jobs=%zu",
		                  row->after, row->before, n);
}

void engine_follow_numbers(struct engine *engine)
{
	struct renumbering *rows;
	size_t n;
	struct error err;
	int64_t known, last;
	if (!engine->customers_came)
		return;
	known = spool_renumbered(engine->spool);
	if (!customers_renumbered(engine->customers, known, engine->arena, &rows, &n, &last,
	                          &err)) {
		spool_fail(engine->spool, &err);
		return;
	}
	for (size_t i = 0; i < n; i++)
		follow(engine, &rows[i]);
	if (last != known) /* less than before, where a backup was put in its place */
		spool_set_renumbered(engine->spool, last);
}

const char *engine_thread_id(struct engine *engine, const struct spool_event *event)
{
	const struct job_event *e = &event->event;
	const char *number =
	        spool_job_began_as(engine->spool, event->job, e->customer, engine->arena);
	return outgoing_mail_thread_id(engine->arena, number, e->job, engine->from_domain);
}

const struct job_event *engine_event_of(struct engine *engine, const struct job_event *event,
                                        const struct customer *customer)
{
	if (strcmp(event->customer, customer->number) == 0)
		return event;
	struct job_event *copy = arena_alloc(engine->arena, sizeof *copy);
	*copy = *event;
	copy->named = event->customer;
	copy->customer = customer->number;
	return copy;
}
