/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_CHANGED_H
#define ENGINE_CHANGED_H

#include "engine/sweep.h"
#include "records/customers.h"

#include <stdbool.h>

struct engine;

/* What is rechecked because customers have changed, and how far that has come. */
struct sweeps {
	struct sweep of[RECHECK_KINDS];
	/* Up to where changes are listed or swept, and what else the rules went by then. */
	struct change_point begun;
	char rules[FOLLOWED_RULES_SIZE];
	struct spool_followed followed; /* up to where all is done, as in the spool */
	bool behind;                    /* there are more changes than a turn follows */
};

/* At the start: what the spool remembers. */
void engine_load_followed(struct engine *engine);
/* What the rules go by besides customers.db, for comparison: settings, time zones. */
void engine_note_rules(struct engine *engine);
/* Whose mails, jobs and events are to be rechecked in this turn: those of customers that changed,
 * or all. */
void engine_follow_changes(struct engine *engine);
/* Keeps in the spool how far that has come, once all of it is done. */
void engine_keep_followed(struct engine *engine);

#endif
