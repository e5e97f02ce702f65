/* SPDX-License-Identifier: MIT */
/* Released jobs are watched until they start or their day is over: a suspension that takes effect
 * meanwhile recalls them (recall.c). */
#include "engine/gate_watch.h"

#include "engine/engine_private.h"
#include "engine/gate_case.h"
#include "model/suspension.h"

/* When its day is over, after which nobody is on the way anymore. */
static struct instant watch_end(const struct engine *engine, const struct gate_case *subject,
                                const struct zone *zone)
{
	if (instant_is_none(subject->scheduled))
		return instant_add(subject->asked, engine->settings->gate.hold_max_ms);
	return zone_day_start(zone, (struct day){zone_day(zone, subject->scheduled).n + 1});
}

static struct instant watch_recheck(const struct engine *engine, const struct gate_case *subject,
                                    const struct zone *zone, struct instant end)
{
	return instant_min(end, suspension_next_change(subject->customer, zone, engine->now));
}

void engine_watch(struct engine *engine, struct spool_request *request,
                  const struct gate_case *subject)
{
	const struct zone *zone = rules_zone(engine->settings, engine->zones, subject->customer);
	struct instant end = watch_end(engine, subject, zone);
	if (!instant_before(engine->now, end))
		return;
	/* A `jobs` suspension lets jobs be dispatched that are there: until it ends, it recalls
	 * none. */
	bool known = suspension_find(subject->customer, SCOPE_JOBS, zone, engine->now) != NULL;
	request->watched = known ? GATE_WATCH_ROUTES : GATE_WATCH_ALL;
	request->recheck = watch_recheck(engine, subject, zone, end);
}

const struct suspension *engine_watched_suspension(struct engine *engine,
                                                   struct spool_request *request)
{
	struct gate_case subject = engine_gate_case(engine, request);
	const struct zone *zone = rules_zone(engine->settings, engine->zones, subject.customer);
	struct instant end = watch_end(engine, &subject, zone);
	if (subject.customer == NULL || !instant_before(engine->now, end)) {
		request->watched = GATE_WATCH_NONE;
		return NULL;
	}
	request->recheck = watch_recheck(engine, &subject, zone, end);
	if (request->watched == GATE_WATCH_ROUTES &&
	    suspension_find(subject.customer, SCOPE_JOBS, zone, engine->now) == NULL)
		request->watched = GATE_WATCH_ALL;
	unsigned scopes =
	        request->watched == GATE_WATCH_ROUTES ? SCOPE_ROUTES : SCOPE_JOBS | SCOPE_ROUTES;
	return suspension_find(subject.customer, scopes, zone, engine->now);
}
