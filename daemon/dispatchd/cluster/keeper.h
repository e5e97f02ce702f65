/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_KEEPER_H
#define DISPATCHD_CLUSTER_KEEPER_H

#include "dispatchd/cluster/member.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * The owner's care for the journal, on a thread of its own: it is trimmed to the slowest standby,
 * at most `[cluster] journal_max`, and who follows how far is known.
 */
struct keeper;

struct keeper *keeper_start(const struct member *member); /* borrowed */
struct keeper *keeper_stop(struct keeper *keeper);        /* takes NULL; returns NULL */

/* [{"name", "lag", "stuck_s", "lost"}, …]: each standby that is known, how many turns it is behind,
 * for how long it has been so without getting any, and whether it needs a seed, since the
 * journal hasn't got what it needs. NULL before the first look. */
json_t *keeper_json(struct keeper *keeper);
/* Whether one follows. */
bool keeper_has_standby(struct keeper *keeper);
/* The largest lag of those that aren't lost. */
int64_t keeper_lag(struct keeper *keeper);

#endif
