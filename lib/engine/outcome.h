/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "base/instant.h"
#include "model/event.h"
#include "model/suspension.h"
#include "model/words.h"
#include "spool/spool.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

struct outcome_facts { /* what an outcome may have besides event, status and reason */
	const struct spool_mail *mail;
	const char *to;
	const char *reply;
	struct instant due; /* INSTANT_NONE: left out */
	const struct suspension *suspension;
	const char *note;   /* instead of the suspension's */
	bool outside_hours; /* a job that is released all the same */
	int64_t contact;
};
/* Returns its seq. */
int64_t engine_outcome(struct engine *engine, const struct spool_event *event, enum status status,
                       enum reason reason, const struct outcome_facts *facts);
const char *entry_feed_name(enum entry_feed feed);
/* Puts an entry aside with its reason; an outcome reports it, but for the customers feed. */
void engine_dead_letter(struct engine *engine, const struct entry *entry, enum reason reason,
                        const char *detail);
/* The same for one that was too large to be read. */
void engine_refuse_unread(struct engine *engine, const struct entry *entry);

#endif
