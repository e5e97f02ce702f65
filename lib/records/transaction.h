/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_TRANSACTION_H
#define RECORDS_TRANSACTION_H

#include "base/error.h"
#include "base/mem.h"
#include "db/db.h"
#include "records/customers.h"
#include "records/records.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* One change under way: who, what memory, in which manner. */
struct transaction {
	const struct change_context *context;
	struct customers *store;
	struct db *db;
	struct arena *arena;
	/* Values come from an import or the feed: read-only fields may come along. */
	bool import;
	/* A file's content was stored: name, type, size and hash may be given. */
	bool stored;
	/* Hashes of files that removed records pointed to; NULL while nothing is removed. */
	json_t *unused_files;
	/* An import's, else NULL: the greatest id of each kind when it began (NULL: ids are not
	 * kept), where edits that it reverts are counted, ids of contacts that its rows matched or
	 * added. */
	const int64_t *known;
	struct records_counts *stale;
	GHashTable *claimed;
	bool took_back;           /* the current row reverts an edit */
	int64_t noted;            /* customer noted last for search; 0: none */
	records_change *observer; /* called for each record that is added or changed; may be NULL */
	void *observer_arg;
	struct error *err;
};

bool transaction_begin(struct transaction *tx, const struct change_context *context,
                       struct error *err) MUST_CHECK;
/* Folds what search has to know, commits where `good`, else rolls back; frees the arena; returns
 * whether it was committed. */
bool transaction_end(struct transaction *tx, bool good);
/* Whether a row of this import matched the contact. */
bool transaction_is_claimed(const struct transaction *tx, int64_t contact);
void transaction_claim(struct transaction *tx, int64_t contact);
bool transaction_needs_manager(struct transaction *tx, const char *what) MUST_CHECK;

#endif
