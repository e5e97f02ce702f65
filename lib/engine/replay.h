/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REPLAY_H
#define ENGINE_REPLAY_H

#include "base/error.h"
#include "base/instant.h"
#include "model/settings.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What would have become of recorded events under other rules or other data: each is judged again
 * as of its receipt, beside the events that had come before it, and compared with what was decided
 * then. Reads the spool and customers.db, changes and sends nothing.
 */
struct replay {
	const struct settings *rules;  /* under which the events are judged */
	const struct settings *ours;   /* under which they were, as far as anybody knows */
	const char *spool, *customers; /* paths of the databases */
	struct instant since, until;   /* of receipt: [since, until) */
	/*
	 * Called for each mail that would have been `added`, be `gone` or have `moved`: an object
	 * with change, event, source, type, job, customer, received, contact, to, before and after
	 * ({status, reason, due} or null), detail (what the rule that decided saw). False ends it.
	 */
	bool (*changed)(void *arg, const json_t *change, struct error *err);
	void *arg;
};

struct replay_counts {
	int64_t events, same, added, gone, moved; /* all but `events` count mails */
};

bool replay_run(const struct replay *replay, struct replay_counts *ret,
                struct error *err) MUST_CHECK;

#endif
