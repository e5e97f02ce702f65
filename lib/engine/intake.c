/* SPDX-License-Identifier: MIT */
/*
 * Entries become events and requests: read, found to be new or not, given to their customer's rules
 * (decide.c, gate.c), or kept waiting where nobody knows the customer yet.
 */
#include "engine/intake.h"

#include "engine/customer_cache.h"
#include "engine/decide.h"
#include "engine/engine_private.h"
#include "engine/gate.h"
#include "engine/numbers.h"
#include "engine/office_write.h"
#include "engine/outcome.h"
#include "engine/report.h"
#include "engine/sweep.h"
#include "engine/waiting.h"

#include <syslog.h>

enum {
	WAITS_A_TURN = 1000,
	WAIT_BYTES_A_TURN = 2 << 20,
};

/* `until`: how long it may wait for its customer. */
static void take_event(struct engine *engine, const struct entry *entry,
                       const struct job_event *event, struct instant until)
{
	unsigned char digest[EVENT_DIGEST_SIZE] = {0};
	if (spool_event_find(engine->spool, event->source, event->id, digest) != 0) {
		engine_process_duplicate(engine, event, digest);
		return;
	}
	const struct customer *customer = engine_customer(engine, event->customer);
	if (customer != NULL)
		engine_decide(engine, engine_event_of(engine, event, customer), customer);
	else if (engine_may_come(engine, until))
		engine_wait_for_customer(engine, entry, event, until);
	else
		engine_dead_letter(
		        engine, entry, REASON_UNKNOWN_CUSTOMER,
		        arena_printf(engine->arena, "there is no customer %s", event->customer));
}

void engine_process_entry(struct engine *engine, const struct entry *entry)
{
	struct job_event event;
	struct error err = {0};
	if (entry->feed == FEED_CUSTOMERS) {
		engine_process_customer(engine, entry);
		return;
	}
	if (entry->unread) {
		engine->stats.events[EVENT_TYPES - 1]++;
		engine_refuse_unread(engine, entry);
		return;
	}
	size_t max = (size_t)engine->settings->redis.max_event_size;
	struct instant until = instant_add(entry->received, engine->settings->customers.grace_ms);
	if (!event_read(entry, max, engine->arena, &event, &err)) {
		engine->stats.events[EVENT_TYPES - 1]++;
		engine_dead_letter(engine, entry, REASON_MALFORMED, err.text);
		return;
	}
	if (event.time_ahead)
		engine_report_often(engine, REPORT_AHEAD, LOG_NOTICE,
		                    "time ahead source=%s id=%s: counts as receipt", event.source,
		                    event.id);
	engine->stats.events[event.kind == EVENT_JOB ? (int)event.state
	                                             : JOB_STATE_COUNT + (int)event.kind - 1]++;
	if (event.kind == EVENT_JOB)
		take_event(engine, entry, &event, until);
	else
		engine_process_request(engine, entry, &event, until);
}

void engine_process_entries(struct engine *engine)
{
	for (size_t i = 0; i < engine->in->n_entries && !spool_failed(engine->spool); i++) {
		if (engine->in->entries[i]->feed != FEED_CUSTOMERS)
			engine_process_entry(engine, engine->in->entries[i]);
	}
}

static void take_waiting(struct engine *engine, const struct spool_waiting *waiting)
{
	struct job_event event = {.kind = EVENT_JOB};
	struct error err = {0};
	engine->stats.rechecks++;
	if (engine_may_come(engine, waiting->until) &&
	    engine_customer(engine, waiting->customer) == NULL)
		return;
	spool_wait_remove(engine->spool, waiting->id);
	if (event_read(&waiting->entry, SIZE_MAX / 4, engine->arena, &event, &err) &&
	    event.kind == EVENT_JOB)
		take_event(engine, &waiting->entry, &event, waiting->until);
	else if (event.kind != EVENT_JOB)
		engine_process_request(engine, &waiting->entry, &event, waiting->until);
	else
		engine_dead_letter(engine, &waiting->entry, REASON_MALFORMED, err.text);
}

/* Those whose grace is over, unless their customer may be on its way, and those whose customer has
 * changed. */
void engine_process_waiting(struct engine *engine)
{
	struct sweep *sweep = &engine->sweeps.of[RECHECK_WAITING];
	int64_t ids[WAITS_A_TURN];
	size_t n;
	bool cut;
	if (spool_wait_count(engine->spool) == 0) {
		engine_sweep_none(engine, sweep);
		return;
	}
	struct instant until = engine_sweep_begin(engine, sweep);
	if (!sweep->all)
		until = instant_min(until, instant_add(engine->feed_oldest, -1));
	struct spool_waiting *waits =
	        spool_waits(engine->spool, until, sweep->listed, sweep->after, engine->arena,
	                    WAITS_A_TURN, WAIT_BYTES_A_TURN, &n, &cut);
	for (size_t i = 0; i < n; i++) {
		ids[i] = waits[i].id;
		take_waiting(engine, &waits[i]);
	}
	engine_sweep_end(engine, sweep, ids, n, cut ? n : WAITS_A_TURN);
}
