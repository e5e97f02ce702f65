/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_CUSTOMERS_WRITE_H
#define RECORDS_CUSTOMERS_WRITE_H

#include "base/error.h"
#include "records/customers_changes.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The transactions by which customers.db is written; for the files of lib/records alone. Each that
 * changes what the office has is one of these (tests/check/layers.py), so that none is made on a
 * standby and none is lost for one.
 */

/* As db_begin(). Code 75 on a standby, with the owner's name. */
bool customers_write_begin(struct customers *customers, struct error *err) MUST_CHECK;
/* Where `good`, folds what search has to know, keeps the changes for the cluster and commits; else
 * rolls back. Whether it was committed; `err` stays as it is where `good` is false. */
bool customers_write_end(struct customers *customers, bool good, struct error *err);

/* What cluster and cluster_past say. */
enum { CLUSTER_NAME_SIZE = 300, CLUSTER_PAST_SIZE = 64 };
struct cluster_state {
	enum cluster_role role;
	char owner[CLUSTER_NAME_SIZE]; /* cut where it is longer */
	int64_t last;                  /* change */
	char name[CLUSTER_PAST_SIZE];  /* of the last change; "" where there is no past */
};
bool cluster_read(struct customers *customers, struct cluster_state *ret,
                  struct error *err) MUST_CHECK;
/* Notes the change as the last one. */
bool cluster_note(struct customers *customers, int64_t id, const char *name,
                  struct error *err) MUST_CHECK;
/* A new name, random; behind its dash the last row of `recheck`. */
bool cluster_name(struct customers *customers, char ret[CLUSTER_PAST_SIZE],
                  struct error *err) MUST_CHECK;
/* Whether another program has written to the file since its last change, as far as triggers have
 * noted it: in `recheck` and `search_stale`, which have what the rules see and most of what a
 * search looks at. False where there is no past. */
bool cluster_is_foreign(struct customers *customers, const struct cluster_state *state, bool *ret,
                        struct error *err) MUST_CHECK;
/* Within the migration to a version, which is the `latest` or not: what its triggers have noted is
 * nobody else's writing, on no machine. */
bool cluster_migrated(struct customers *customers, bool latest, struct error *err) MUST_CHECK;

#endif
