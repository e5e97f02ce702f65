/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_CUSTOMERS_CHANGES_H
#define RECORDS_CUSTOMERS_CHANGES_H

#include "base/error.h"
#include "base/mem.h"
#include "records/customers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The office's changes in a cluster (CONTRACT 12): each transaction that writes customers.db on the
 * owner's machine keeps what it has changed, in the same commit; a standby makes the same changes
 * in its copy.
 *
 *	owner      customers_changes_after() → journal → customers_changes_drop()
 *	standby    journal → customers_follow()
 *
 * Changes are numbered without a gap. Each has a random name and says the name of the one before,
 * so that a copy with another past (an older backup, changes that never got into the journal,
 * changes that were made outside of the cluster) is found at the next change, and has to be seeded
 * again.
 *
 * What other programs than dispatchd's write to the file isn't kept: in a cluster none may. Where
 * it is something that the rules see, this is noticed with the next change, and all copies have to
 * be seeded again.
 * Documents and pictures are files, and not here.
 */
enum cluster_role {
	CLUSTER_NONE,
	CLUSTER_OWNER,
	CLUSTER_STANDBY, /* the office's changes fail with 75 and the owner's name */
};

/*
 * What this machine is; kept in the file. Writes only where that is another. `owner` is the name of
 * the one that a standby follows ("" where it isn't known), else NULL. A file that was written to
 * while it had no role has no past in common with others: as owner it starts a new one, as standby
 * it has to be seeded. What an owner has kept stays when it becomes a standby, up to the first
 * change that it follows; it goes where the role is none.
 */
bool customers_set_role(struct customers *customers, enum cluster_role role, const char *owner,
                        struct error *err) MUST_CHECK;

/* Where this machine is a standby, what isn't in customers.db but the office's, too, fails with 75
 * and the owner's name. */
bool customers_may_change(struct customers *customers, struct error *err) MUST_CHECK;

/* -- the owner -- */

/* A larger one is kept without its content: a standby that gets there has to be seeded. */
enum {
	CUSTOMERS_CHANGE_MAX =
	        48 * 1024 * 1024, /* new values of rows, an import of 60,000 customers */
	CUSTOMERS_BYTES_MAX = 24 * 1024 * 1024, /* the same packed, as `bytes` below: one string of
	                                         * Redis, which may be 32 MiB (base/resp.h) */
};

struct customers_change {
	int64_t id;
	const char *bytes; /* for customers_follow(); at least a few */
	size_t len;
};
/*
 * Those that are kept, behind change `after`, in order, in `arena`: as many as fit into `max_bytes`
 * together, but one where there is any. 0 for `after` has all that weren't dropped: whoever drops
 * what the journal has needs no other number. Works within and without customers_begin_read().
 */
bool customers_changes_after(struct customers *customers, int64_t after, size_t max_bytes,
                             struct arena *arena, struct customers_change **ret, size_t *ret_n,
                             struct error *err) MUST_CHECK;
/* Drops those up to this one, in a transaction of its own, and wipes what they said: words of
 * customers that may be erased. */
bool customers_changes_drop(struct customers *customers, int64_t upto,
                            struct error *err) MUST_CHECK;
/* The number of the last change that was ever kept or followed; 0: none. */
bool customers_last_change(struct customers *customers, int64_t *ret, struct error *err) MUST_CHECK;

/* -- a standby -- */

/* A connection for customers_follow() alone, by DB_FOLLOW: triggers and foreign keys are off. NULL
 * on a fault, as customers_open(). */
struct customers *customers_open_follower(const char *path, struct error *err) MUST_CHECK;
/* As db_migrate(). What was written outside of the cluster before is found after it, too: then the
 * copies have no common past. */
bool customers_migrate(struct customers *customers, int64_t version, struct error *err) MUST_CHECK;
/*
 * Makes change `id` in this copy, in a transaction of its own, and brings the search index up to
 * date. True also where the copy has it already. Code 65: the copy has to be seeded again, since a
 * change is missing between its last one and this one, or it has another past, or this one was too
 * large to be kept, or is of another version of the schema, or a row isn't as it was on the owner's
 * machine; nothing is changed. Code 70: this machine isn't a standby. Else db_begin()'s.
 */
bool customers_follow(struct customers *customers, int64_t id, const char *bytes, size_t len,
                      struct error *err) MUST_CHECK;

#endif
