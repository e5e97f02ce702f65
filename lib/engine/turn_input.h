/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TURN_INPUT_H
#define ENGINE_TURN_INPUT_H

#include "base/instant.h"
#include "mail/failure.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct office_write_result;

/* A request: a JSON text, and bytes that belong to it; NULL for none. */
struct turn_command {
	const char *text;
	const char *bytes;
	size_t n_bytes;
};

/*
 * What a turn is given. The caller keeps it, and may give the same again after a turn that failed.
 * Whoever adds a member fills it where it is known: in the daemon the loop's side of
 * dispatchd/engine/engine_thread.c for what others report, or engine_turns.c for what the thread
 * knows itself. Zero means nothing new.
 */
struct turn_input {
	struct instant now;
	struct tick tick; /* at `now`; 0: unknown, so only a clock set back is noticed */
	uint64_t random;  /* for jitter */

	/* what has come */
	const struct entry *const *entries;
	size_t n_entries;
	const struct delivery_result *results;
	size_t n_results;
	const struct turn_command *commands;
	size_t n_commands;
	const struct office_write_result *office_writes_done; /* in order */
	size_t n_office_writes_done;
	int64_t published; /* Redis has all outcomes up to this one */
	/* Redis may have lost what it got behind outcome `again_after`, and whatever is on its way
	 * there has been thrown away: all of that is handed out once more. */
	bool again;
	int64_t again_after;
	bool feed_unread; /* customers of the feed may be unread: nobody is finally unknown */

	/* what may go out */
	size_t room;         /* how many mails may be dispatched */
	size_t room_bytes;   /* and how large in all; one in any case. 0: no limit */
	size_t outcomes_max; /* outcomes to be published weigh so much: spool_outcome_weight() */
	bool office_writes_wanted; /* whether office writes may be dispatched */
	bool debug; /* the log takes lines at debug: moves of mails are reported, too */
	bool terse; /* it takes none at info: what became of each mail isn't reported */
	bool prove; /* writes to the disk even if there is nothing to write: is it full? */
};

#endif
