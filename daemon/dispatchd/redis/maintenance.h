/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_MAINTENANCE_H
#define DISPATCHD_REDIS_MAINTENANCE_H

#include "dispatchd/redis/reader.h"

/*
 * What the streams need now and then: entries that another consumer left unacknowledged for
 * `claim_after` are taken over, entries older than `keep` that every group has acknowledged are
 * trimmed, consumers of our group without pending entries that have been idle for `keep` are removed. All
 * of it over the connection for commands, a step a turn.
 */
struct upkeep;
struct upkeep *upkeep_new(struct flow *flow, struct reader *reader, int64_t claim_after_ms, int64_t keep_ms);
void upkeep_set(struct upkeep *upkeep, int64_t claim_after_ms, int64_t keep_ms); /* from now on */
struct upkeep *upkeep_free(struct upkeep *upkeep); /* takes NULL; returns NULL */
void upkeep_reset(struct upkeep *upkeep);          /* the connection is new */
void upkeep_turn(struct upkeep *upkeep);

#endif
