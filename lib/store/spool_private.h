/* SPDX-License-Identifier: MIT */
#ifndef STORE_SPOOL_PRIVATE_H
#define STORE_SPOOL_PRIVATE_H

/* For store/spool_*.c only. */

#include "store/db.h"
#include "store/spool.h"

struct spool {
	struct db *db;
	char instance[32];
	bool failed; /* something in this transaction did; `fault` says what */
	struct error fault;
	int64_t mails[STATUS_COUNT], mails_before[STATUS_COUNT]; /* mails by status; as of the last commit */
	int64_t waits, waits_before;
};

/* A query of the current transaction; after a fault one that gives nothing. */
struct db_query *spool_query(struct spool *spool, const char *sql);
/* True for a row; a fault is kept and ends the rows. */
bool spool_row(struct spool *spool, struct db_query *query);
void spool_run(struct spool *spool, struct db_query *query);
int64_t spool_run_int(struct spool *spool, struct db_query *query, int64_t none);

#endif
