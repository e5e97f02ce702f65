/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REPLICA_H
#define ENGINE_REPLICA_H

#include "base/error.h"
#include "journal/journal.h"
#include "model/settings.h"

/*
 * A standby's databases, which follow the journal entry by entry. They are locked as an engine's
 * are, so that nobody else changes them; an engine is opened once this is closed. One thread.
 *
 * A newer program than the owner's follows in the owner's schema. The databases are migrated where
 * an entry is of a newer schema for the first time: a new owner's fence, when it is applied, on the
 * owner's machine, too.
 */
struct replica;

/* Codes as engine_open(). */
struct replica *replica_open(const struct settings *settings, struct error *err) MUST_CHECK;
struct replica *replica_close(struct replica *replica); /* takes NULL; returns NULL */

/* Who owns the cluster now, "" for nobody. A change that the office makes here is refused with
 * that name. */
bool replica_set_owner(struct replica *replica, const char *owner, struct error *err) MUST_CHECK;
/* The entry of a new owner behind the position, to be sealed by it; of this program's schemas. */
struct journal_entry replica_fence(int64_t epoch);
/* Up to which entry they are. */
struct journal_position replica_position(const struct replica *replica);
/* Of which schema the databases are now. */
struct replica_schemas {
	int64_t spool, customers;
};
struct replica_schemas replica_schemas(const struct replica *replica);

/*
 * Verifies `n` entries behind the position and makes their changes, in their order. Entries of
 * turns are made together in one transaction; each that has the office's changes or a schema by
 * itself, each database's in one. The position is there with the spool's. Where one is refused,
 * those before it are followed, as the position says; the same entries from there on may be given
 * again. Codes 65 (one doesn't verify, or doesn't fit, or is of an older schema than a database
 * here: a seed is needed), 78 (of a schema that this program doesn't have), and a database's (75,
 * 74, 77: later perhaps).
 */
bool replica_apply(struct replica *replica, const struct journal_key *key,
                   const struct journal_entry *entries, size_t n, struct error *err) MUST_CHECK;

#endif
