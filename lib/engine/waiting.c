/* SPDX-License-Identifier: MIT */
/* Entries that wait for their customer, or behind held jobs; and entries that are on record
 * already. */
#include "engine/waiting.h"

#include "engine/engine_private.h"
#include "engine/report.h"

#include <string.h>
#include <syslog.h>

void engine_process_duplicate(struct engine *engine, const struct job_event *event,
                              const unsigned char recorded[EVENT_DIGEST_SIZE])
{
	unsigned char digest[EVENT_DIGEST_SIZE];
	event_digest(event, digest);
	engine->stats.duplicates++;
	if (memcmp(digest, recorded, sizeof digest) == 0)
		return;
	engine->stats.duplicates_differing++;
	engine_report_often(engine, REPORT_DIFFERING, LOG_WARNING,
	                    "duplicate with other content source=%s id=%s: the first one counts",
	                    event->source, event->id);
}

bool engine_may_come(const struct engine *engine, struct instant until)
{
	return instant_before(engine->now, until) || !instant_before(until, engine->feed_oldest);
}

/* Those that may still come are rechecked when the feed is through: that is a turn by itself. */
struct instant engine_next_wait(struct engine *engine)
{
	struct instant next = spool_next_wait(engine->spool);
	return engine_may_come(engine, next) && !instant_before(engine->now, next) ? INSTANT_NEVER
	                                                                           : next;
}

void engine_wait_for_customer(struct engine *engine, const struct entry *entry,
                              const struct job_event *event, struct instant until)
{
	struct spool_waiting first;
	struct job_event waits;
	unsigned char digest[EVENT_DIGEST_SIZE];
	if (spool_wait_add(engine->spool, entry, event, until) ||
	    !spool_wait_find(engine->spool, entry, event, engine->arena, &first) ||
	    !event_read(&first.entry, SIZE_MAX / 4, engine->arena, &waits, NULL))
		return;
	event_digest(&waits, digest);
	engine_process_duplicate(engine, event, digest);
}
