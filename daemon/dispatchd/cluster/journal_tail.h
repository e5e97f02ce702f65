/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_JOURNAL_TAIL_H
#define DISPATCHD_CLUSTER_JOURNAL_TAIL_H

#include "journal/journal.h"

#include <stddef.h>

/*
 * The last entries that this owner has appended, as they are: a fail-over may lose the end of the
 * journal, which is then appended once more. Bounded by what they take; the newest is always there.
 * `{0}` is an empty one. One thread.
 */
enum { JOURNAL_TAIL_BYTES = 8 << 20 };

struct kept_entry {
	struct kept_entry *next; /* the one behind it; NULL for the last */
	struct journal_position before;
	struct journal_entry entry;
};

struct journal_tail {
	struct kept_entry *first, *last;
	size_t bytes;
};

/* Copies it; it is the one behind the last. */
void journal_tail_keep(struct journal_tail *tail, const struct journal_position *before,
                       const struct journal_entry *entry);
/* The entry that follows on that position; NULL where it isn't here. */
const struct kept_entry *journal_tail_behind(const struct journal_tail *tail,
                                             const struct journal_position *position);
void journal_tail_clear(struct journal_tail *tail);

#endif
