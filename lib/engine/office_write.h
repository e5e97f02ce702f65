/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OFFICE_WRITE_H
#define ENGINE_OFFICE_WRITE_H

#include "model/event.h"

struct engine;

/* Customers of the feed: the turn's entries, one entry. Each becomes a row for customers.db. */
void engine_process_feed(struct engine *engine);
void engine_process_customer(struct engine *engine, const struct entry *entry);
/* What has been done in customers.db, and what is to be done next. */
void engine_record_office_writes(struct engine *engine);
void engine_dispatch_office_writes(struct engine *engine);

#endif
