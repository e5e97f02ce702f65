/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_READER_H
#define DISPATCHD_REDIS_READER_H

#include "dispatchd/redis/flow.h"

/*
 * Reads the streams by consumer group, over a connection of its own, in stages:
 *
 *   WAIT ─▶ GROUPS ─▶ OWN_FEED ─▶ NEW_FEED ─▶ OWN ─▶ NEW ⟲
 *    ▲         ▲                      ▲                │
 *    │         └── NOGROUP, errors ───┼────────────────┤
 *    └── connection back              └─ feed is long ─┘
 *
 * WAIT ends when all that was on its way before is acknowledged, so that OWN (entries delivered to
 * this consumer earlier) never reads what the engine has in hand. The customers feed comes before
 * the events, always. An answer that is too long was delivered all the same, so OWN reads it again,
 * fewer entries at once.
 */
enum { READER_BLOCK_MS = 5000, READER_SHORT_MS = 20, READER_STREAMS_MAX = 3 };

struct reader;
struct reader *reader_new(struct flow *flow, struct redis_connection *connection);
struct reader *reader_free(struct reader *reader); /* takes NULL; returns NULL */

/* A stream to read. `key` must outlive the reader. */
void reader_add(struct reader *reader, const char *key, enum entry_feed feed);
void reader_reset(struct reader *reader); /* the connection is new */
void reader_turn(struct reader *reader);  /* reads on where it may */
/* The connection was lost for an answer that was too long. It reads less at once; and what is too
 * long by itself is acknowledged and given to the engine as unread, since all behind it would wait
 * for ever. */
void reader_too_long(struct reader *reader);

/* The streams, for the maintenance and the metrics. */
size_t reader_streams(const struct reader *reader);
struct source *reader_stream(struct reader *reader, size_t i);
/* While the customers feed is read up to its end: what comes by another way than a stream waits,
 * too. Never while reading fails. */
bool reader_feed_first(const struct reader *reader);
bool reader_usable(const struct reader *reader, size_t i); /* its group is known to be there */

#endif
