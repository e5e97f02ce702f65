/* SPDX-License-Identifier: MIT */
#ifndef UNIT_CLUSTER_H
#define UNIT_CLUSTER_H

#include "office.h"
#include "records/customers_changes.h"

/* Two machines: an office whose changes are kept, and a copy of its customers.db that follows. */
struct cluster {
	struct office *office; /* the owner */
	char path[128];        /* of the copy */
	struct customers *follower;
};

/* As the office is now; the office becomes the owner, "east". */
void cluster_open(struct cluster *c, struct office *office);
void cluster_close(struct cluster *c);
/* Follows all that is kept and drops it; how many. These fail the test where it doesn't go. */
size_t cluster_follow(struct cluster *c);
/* All tables of the two are equal, row by row, but for what each machine has of its own; the search
 * index agrees with its texts, and finds the same. */
void cluster_equal(struct cluster *c);
int64_t cluster_number(struct customers *store, const char *sql);

#endif
