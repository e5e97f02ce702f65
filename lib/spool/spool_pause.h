/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_PAUSE_H
#define SPOOL_SPOOL_PAUSE_H

#include "spool/spool.h"

#include <jansson.h>

/* Whether all sending is paused: kept in the spool, so that it outlives a restart. */

enum { SPOOL_PAUSE_NOTE_MAX = 500 }; /* bytes */

struct spool_pause {
	struct instant since; /* INSTANT_NONE: sending isn't paused */
	const char *by, *note;
};

/* The texts are in the arena, "" where not paused. */
void spool_pause_load(struct spool *spool, struct arena *arena, struct spool_pause *ret);
void spool_pause_set(struct spool *spool, const struct spool_pause *pause);
void spool_pause_end(struct spool *spool);

/* For people, within a transaction: {"since", "by", "note", "due": how many mails would go now};
 * null where sending isn't paused. The caller's. */
json_t *spool_pause_json(struct spool *spool, struct instant now);
/* The same in a view of its own. */
bool spool_read_pause(struct spool *spool, struct instant now, json_t **ret,
                      struct error *err) MUST_CHECK;
/* How often sending has been paused, resumed, or given another note since the spool was made. */
bool spool_read_pause_changes(struct spool *spool, int64_t *ret, struct error *err) MUST_CHECK;

#endif
