/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_TAKEOVER_H
#define DISPATCHD_REDIS_TAKEOVER_H

#include "dispatchd/redis/flow.h"

/*
 * Processing lists of consumers that are gone. Every consumer of a list sends a heartbeat: the
 * key LIST:consumer:CONSUMER, which expires after `claim_after` (5 s at least). A processing list
 * whose consumer sends none, and whose oldest item has been the same for `claim_after`, is moved to
 * the old end of ours, checked and moved in one step (a script).
 */
struct takeover;
/* `key` must outlive it. */
struct takeover *takeover_new(struct flow *flow, const char *key, int64_t claim_after_ms);
struct takeover *takeover_free(struct takeover *takeover); /* takes NULL; returns NULL */
void takeover_set(struct takeover *takeover, int64_t claim_after_ms);
/* The connection for commands was lost for an answer that was too long. */
void takeover_too_long(struct takeover *takeover);
void takeover_reset(struct takeover *takeover); /* the connection for commands is new */
/* True where items have come into our processing list. */
bool takeover_turn(struct takeover *takeover);

#endif
