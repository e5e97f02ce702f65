/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_NAMESAKE_H
#define DISPATCHD_CLUSTER_NAMESAKE_H

#include "base/error.h"
#include "common/sync.h"
#include "dispatchd/cluster/member.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Two standbys of one name would move each other's place in the journal. So each is there as a
 * consumer of its member's group, with a name of its own: "new-…" at first, in which time it looks
 * for others that are there, too, and "old-…" from then on. An old one stays, and of two new ones
 * the first by name.
 */
enum { NAMESAKE_SIZE = 40 };

struct namesake {
	char name[NAMESAKE_SIZE];
	int64_t began_ms; /* monotonic; 0: not yet */
	bool old;
};

void namesake_begin(struct namesake *namesake);
/* Once a second: says that we are there. *ret_other: another one is, and we have to go. Does
 * nothing while the group isn't there. */
bool namesake_look(struct namesake *namesake, struct sync *redis, const struct member *member,
                   bool *ret_other, struct error *err) MUST_CHECK;

#endif
