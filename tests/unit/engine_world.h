/* SPDX-License-Identifier: MIT */
#ifndef UNIT_ENGINE_WORLD_H
#define UNIT_ENGINE_WORLD_H

#include "engine/engine.h"

#include <stddef.h>

/*
 * An engine with real files in a directory of its own and a clock that the test sets. What a turn
 * hands out is gathered as text: outcomes as "status reason job [note]", mails by their ids.
 */
struct world {
	char directory[64];
	struct settings settings;
	struct engine *engine;
	struct instant now;
	struct tick tick;    /* 0 unless a test sets the monotonic clock */
	struct buf outcomes; /* outcomes of the last turn, a line each */
	struct buf jobs;     /* jobs released in it: "name=value " each, a line a job */
	char last_id[64];    /* of the last outcome */
	struct buf
	        fields; /* outcomes with all they say: "status=sent\treason=ok\t…", a line each */
	struct delivery_result in_flight[64]; /* mails dispatched and not yet answered */
	char templates[64][16];
	char contexts[64][16384];
	char message_ids[64][128], thread_ids[64][128];
	size_t n_in_flight;
	size_t room;
	int next_id;
	int64_t published;
};

struct world *world_new(const char *now);
void world_free(struct world *w);
void world_sql(struct world *w, const char *sql); /* in customers.db */
void world_at(struct world *w, const char *now);
/* The same `seconds` after the last time, by the clock that nobody sets. */
void world_at_after(struct world *w, const char *now, int seconds);
void world_crash(struct world *w);  /* and start again, without a turn */
void world_reopen(struct world *w); /* with one */

/* Publishes one event (`id` NULL: a new one) and turns once. */
void world_event(struct world *w, const char *type, const char *job, const char *customer,
                 const char *time, const char *id);
/* The same of a request to the gate; `more` is further fields, name and value by turns,
 * NULL-terminated; may be NULL. */
void world_request(struct world *w, const char *type, const char *job, const char *customer,
                   const char *id, const char *const *more);
void world_json(struct world *w, const char *json);     /* an event as one JSON object */
void world_customer(struct world *w, const char *json); /* an entry of the customers feed */
/* An entry of a feed as it is, name and value by turns, NULL-terminated. */
void world_entry(struct world *w, enum entry_feed feed, const char *const *fields);
void world_turn(struct world *w);
/* All mails in flight end like that; then turns. */
void world_deliver(struct world *w, enum delivery delivery);
int64_t world_mails(struct world *w, enum status status);
void world_metrics(struct world *w, struct buf *out);
char *world_command(struct world *w, const char *text); /* malloc'd */

#endif
