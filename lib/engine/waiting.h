/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_WAITING_H
#define ENGINE_WAITING_H

#include "base/instant.h"
#include "model/event.h"

#include <stdbool.h>

struct engine;

/* Whether one who isn't known may still come: until `until`, and as long as customers published
 * before it are on their way into customers.db, however long a feed or an import takes. */
bool engine_may_come(const struct engine *engine, struct instant until);
/* When engine_process_waiting() has something to do. */
struct instant engine_next_wait(struct engine *engine);
/* An event or a request whose customer is not known yet, or which goes behind held jobs that are
 * still to be rechecked. One that waits already is a duplicate. */
void engine_wait_for_customer(struct engine *engine, const struct entry *entry,
                              const struct job_event *event, struct instant until);
/* Counts an event or request that is on record, and reports one whose content differs now. */
void engine_process_duplicate(struct engine *engine, const struct job_event *event,
                              const unsigned char recorded[EVENT_DIGEST_SIZE]);

#endif
