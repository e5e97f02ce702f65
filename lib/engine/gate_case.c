/* SPDX-License-Identifier: MIT */
/* A request of the gate as its rules see it. */
#include "engine/gate_case.h"

#include "engine/customer_cache.h"
#include "engine/engine_private.h"

struct gate_case engine_gate_case(struct engine *engine, const struct spool_request *request)
{
	struct gate_case subject = {
	        .settings = engine->settings,
	        .zones = engine->zones,
	        .arena = engine->arena,
	        .now = engine->now,
	        .kind = request->event.kind,
	        .customer = engine_customer(engine, request->event.customer),
	        .scheduled = INSTANT_NONE,
	        .asked = request->event.received,
	};
	(void)event_scheduled(&request->event, &subject.scheduled);
	return subject;
}
