/* SPDX-License-Identifier: MIT */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/secret_keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The journal by which a standby follows the owner of a cluster (CONTRACT 12): entries numbered
 * without a gap, each of which holds what one turn has changed. An entry's seal is a keyed BLAKE2b
 * (RFC 7693) of it and of the seal before, so that nobody without the key adds, changes, leaves out
 * or moves one. What it says isn't encrypted.
 *
 *	turn 41 ── turn 42 ── fence 43 ── turn 44      epoch 7, 7, 8, 8
 *
 * A fence is a new owner's first entry. It alone may follow on something else than the journal's
 * last entry: where Redis has lost the end of the journal, it follows on what its owner has on
 * disk.
 */
enum { JOURNAL_SEAL_SIZE = 32, JOURNAL_KEY_SIZE = SECRET_KEY_SIZE };

struct journal_key {
	unsigned char bytes[JOURNAL_KEY_SIZE];
};

enum journal_kind { JOURNAL_TURN = 't', JOURNAL_FENCE = 'f' };

/* Up to which entry a spool is. */
struct journal_position {
	int64_t number; /* 0: it never was in a cluster */
	int64_t epoch;
	unsigned char seal[JOURNAL_SEAL_SIZE];
};

struct journal_entry {
	enum journal_kind kind;
	int64_t epoch, number;    /* the number is one more than that of the entry before */
	int64_t spool, customers; /* versions of the two schemas */
	const char *body;         /* parts, see below, packed (journal/pack.h); borrowed */
	size_t len;
	unsigned char seal[JOURNAL_SEAL_SIZE];
};

/* Numbers the entry behind `before` and seals it. */
void journal_seal(const struct journal_key *key, const struct journal_position *before,
                  struct journal_entry *entry);
/* Whether the entry is the one behind `before`, made with our key. Code 65; the text says which of
 * number, epoch and seal is wrong. */
bool journal_verify(const struct journal_key *key, const struct journal_position *before,
                    const struct journal_entry *entry, struct error *err) MUST_CHECK;
/* Where a spool is that has the entry. */
struct journal_position journal_behind(const struct journal_entry *entry);

/* From a text with the one key (base/secret_keys.h). Code 78; `ret` has no key then. */
bool journal_key_parse(const char *text, size_t len, const char *path, struct journal_key *ret,
                       struct error *err) MUST_CHECK;

/*
 * The body: parts of one kind each, with their length. One that this program doesn't know can't be
 * followed.
 */
enum journal_part_kind {
	JOURNAL_SPOOL = 1, /* changes of spool.db, as db/db_record.h has them; one at most */
	JOURNAL_CUSTOMERS =
	        2, /* a change of customers.db: `id`, changes; made before the spool's */
};

struct journal_part {
	enum journal_part_kind kind;
	int64_t id;
	const char *bytes; /* borrowed */
	size_t len;
};

void journal_add_part(struct buf *body, const struct journal_part *part);
/* The part at *at, which goes on behind it. False at the end, and with `err` set (65) where it is
 * none: `err->code` tells. */
bool journal_next_part(const char *body, size_t len, size_t *at, struct journal_part *ret,
                       struct error *err) MUST_CHECK;

#endif
