/* SPDX-License-Identifier: MIT */
/* Released jobs are watched until they start or their day is over: a suspension that takes effect
 * meanwhile recalls them (recall.c). */
#include "engine/gate_watch.h"

#include "engine/engine_private.h"
#include "engine/gate_case.h"
#include "model/suspension.h"

/* When its day is over, after which nobody is on the way any more. */
static struct instant watch_end(const struct engine *engine, const struct gate_case *asked,
                                const struct zone *zone)
{
	if (instant_is_none(asked->scheduled))
		return instant_add(asked->asked, engine->settings->gate.hold_max_ms);
	return zone_day_start(zone, (struct day){zone_day(zone, asked->scheduled).n + 1});
}

static struct instant watch_recheck(const struct engine *engine, const struct gate_case *asked,
                                    const struct zone *zone, struct instant end)
{
	return instant_min(end, suspension_next_change(asked->customer, zone, engine->now));
}

void engine_watch(struct engine *engine, struct spool_request *request,
                  const struct gate_case *asked)
{
	const struct zone *zone = rules_zone(engine->settings, engine->zones, asked->customer);
	struct instant end = watch_end(engine, asked, zone);
	if (!instant_before(engine->now, end))
		return;
	/* A `jobs` suspension lets jobs be dispatched that are there: until it ends, it recalls
	 * none. */
	bool known = suspension_find(asked->customer, SCOPE_JOBS, zone, engine->now) != NULL;
	request->watched = known ? GATE_WATCH_ROUTES : GATE_WATCH_ALL;
	request->recheck = watch_recheck(engine, asked, zone, end);
}

const struct suspension *engine_watched_suspension(struct engine *engine,
                                                   struct spool_request *request)
{
	struct gate_case asked = engine_gate_case(engine, request);
	const struct zone *zone = rules_zone(engine->settings, engine->zones, asked.customer);
	struct instant end = watch_end(engine, &asked, zone);
	if (asked.customer == NULL || !instant_before(engine->now, end)) {
		request->watched = GATE_WATCH_NONE;
		return NULL;
	}
	request->recheck = watch_recheck(engine, &asked, zone, end);
	if (request->watched == GATE_WATCH_ROUTES &&
	    suspension_find(asked.customer, SCOPE_JOBS, zone, engine->now) == NULL)
		request->watched = GATE_WATCH_ALL;
	unsigned scopes =
	        request->watched == GATE_WATCH_ROUTES ? SCOPE_ROUTES : SCOPE_JOBS | SCOPE_ROUTES;
	return suspension_find(asked.customer, scopes, zone, engine->now);
}
