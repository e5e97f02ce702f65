/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_CHANNEL_H
#define DISPATCHD_REDIS_CHANNEL_H

#include "dispatchd/redis/flow.h"

/*
 * The channel source. Redis keeps nothing for a subscriber that is absent, and a channel can't be
 * made to wait: while the engine takes no more, messages gather here up to a bound, beyond which
 * they are lost, counted and logged. Whoever needs every event uses the stream.
 */
enum { CHANNEL_MESSAGES_MAX = 20000, CHANNEL_BYTES_MAX = 12 << 20, CHANNEL_HEARTBEAT_MS = 10000 };

struct channel;
struct channel *channel_new(struct flow *flow, struct redis_connection *connection,
                            const char *key);
struct channel *channel_free(struct channel *channel); /* takes NULL; returns NULL */
void channel_reset(struct channel *channel);           /* the connection is new: subscribes */
/* Hands over what has come, if it can while the feed goes first; takes NULL. */
void channel_turn(struct channel *channel, bool feed_first);
uint64_t channel_lost(const struct channel *channel); /* messages, since the start; takes NULL */

#endif
