/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_MAINTENANCE_H
#define DISPATCHD_REDIS_MAINTENANCE_H

#include "dispatchd/redis/reader.h"

/*
 * What the streams need now and then: entries that another consumer left unacknowledged for
 * `claim_after` are taken over, entries older than `keep` that every group has acknowledged are
 * trimmed, consumers of our group without pending entries that have been idle for `keep` are
 * removed. All of it over the connection for commands, a step a turn.
 */
struct maintenance;
struct maintenance *maintenance_new(struct flow *flow, struct reader *reader,
                                    int64_t claim_after_ms, int64_t keep_ms);
/* From now on. */
void maintenance_set(struct maintenance *maintenance, int64_t claim_after_ms, int64_t keep_ms);
/* Takes NULL; returns NULL. */
struct maintenance *maintenance_free(struct maintenance *maintenance);
void maintenance_reset(struct maintenance *maintenance); /* the connection is new */
void maintenance_turn(struct maintenance *maintenance);

#endif
