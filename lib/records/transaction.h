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
	bool import; /* values come from an import or the feed: fields that the program keeps may
	              * come along
	              */
	const int64_t *known; /* an import's: the greatest id of each kind when it began; NULL: ids
	                       * are not kept
	                       */
	bool stored; /* a file's content was stored: name, type, size and hash may be given */
	json_t *unused_files; /* hashes of files that what is removed pointed to; NULL while nothing
	                         is removed */
	struct records_counts
	        *stale;      /* an import's: where edits that it takes back are noted; NULL else */
	bool took_back;      /* the row under way takes one back */
	GHashTable *claimed; /* an import's: ids of contacts that a row of it meant or added; else
	                        NULL */
	int64_t noted;       /* customer noted last for search; 0: none */
	records_change *observer; /* told of each record that is added or changed; may be NULL */
	void *observer_arg;
	struct error *err;
};

bool transaction_begin(struct transaction *tx, const struct change_context *context,
                       struct error *err) MUST_CHECK;
/* Folds what search has to know, commits where `good`, else rolls back; frees the arena; gives what
 * became of it. */
bool transaction_end(struct transaction *tx, bool good);
/* Whether a row of this import meant the contact. */
bool transaction_is_claimed(const struct transaction *tx, int64_t contact);
void transaction_claim(struct transaction *tx, int64_t contact);
bool transaction_needs_manager(struct transaction *tx, const char *what) MUST_CHECK;

#endif
