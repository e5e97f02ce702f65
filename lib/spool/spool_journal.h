/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_SPOOL_JOURNAL_H
#define SPOOL_SPOOL_JOURNAL_H

#include "base/buf.h"
#include "journal/journal.h"
#include "spool/spool.h"

/*
 * The spool in a cluster: what a transaction changes, for the journal, and up to which entry of the
 * journal the file is.
 *
 *	spool_begin() … statements … spool_changes() ─ the journal takes them ─
 *	spool_set_position(), spool_commit()
 */

/* From the next transaction on, changes are recorded. */
void spool_record(struct spool *spool);
/* Adds what the transaction has changed; nothing else may be changed in it then but the position.
 * A fault is kept as any. */
void spool_changes(struct spool *spool, struct buf *ret);
/* The current transaction's, or view's. */
struct journal_position spool_position(struct spool *spool);
void spool_set_position(struct spool *spool, const struct journal_position *position);

/*
 * A standby's spool, opened by DB_FOLLOW: from spool_follow_begin() on, nothing but these is to be
 * done with it. spool_follow() makes the changes of `n` entries, in their order, and notes the
 * position behind the last, in one transaction. As db_follow().
 */
struct spool_changes {
	const void *bytes;
	size_t len;
};

bool spool_follow_begin(struct spool *spool, struct error *err) MUST_CHECK;
bool spool_follow(struct spool *spool, const struct spool_changes *changes, size_t n,
                  const struct journal_position *behind, struct error *err) MUST_CHECK;

#endif
