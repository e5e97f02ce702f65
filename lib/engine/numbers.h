/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_NUMBERS_H
#define ENGINE_NUMBERS_H

#include "model/customer.h"
#include "model/event.h"
#include "spool/spool.h"

struct engine;

/* Jobs of customers whose numbers have changed go with them. */
void engine_follow_numbers(struct engine *engine);
/* The root of the thread of a job's mails: the same whatever its customer's number is now. */
const char *engine_thread_id(struct engine *engine, const struct spool_event *event);
/* The event as of the customer's present number; itself where it names that. */
const struct job_event *engine_event_of(struct engine *engine, const struct job_event *event,
                                        const struct customer *customer);

#endif
