/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_JOURNAL_WRITER_H
#define DISPATCHD_CLUSTER_JOURNAL_WRITER_H

#include "base/error.h"
#include "dispatchd/cluster/lease.h"
#include "dispatchd/cluster/member.h"
#include "journal/journal.h"

#include <stdatomic.h>
#include <stdbool.h>

/*
 * Appends entries to the journal in Redis, over a connection of its own, for the engine's thread
 * (engine/engine.h, struct engine_journal). It tries again for as long as the lease is ours. What
 * Redis has lost of the journal's end it appends once more, as far as it has it.
 */
struct journal_writer;

/* Both are borrowed and must outlive it; the lease has to be taken. */
struct journal_writer *journal_writer_new(const struct member *member, struct lease *lease);
struct journal_writer *journal_writer_free(struct journal_writer *writer); /* takes NULL */

/*
 * Numbers, seals and appends the entry behind `before`. True once the journal has it for good;
 * false with `err` (75) where it never will: the lease is lost, or journal_writer_stop() was
 * called. `arg` is the writer.
 */
bool journal_writer_append(void *arg, const struct journal_position *before,
                           struct journal_entry *entry, struct error *err) MUST_CHECK;
/* From any thread: whether an entry waits for a Redis that doesn't take it. */
bool journal_writer_waits(struct journal_writer *writer);
/* From any thread: what waits fails, and so does all that comes. */
void journal_writer_stop(struct journal_writer *writer);

#endif
