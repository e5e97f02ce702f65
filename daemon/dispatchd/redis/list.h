/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_LIST_H
#define DISPATCHD_REDIS_LIST_H

#include "dispatchd/redis/flow.h"

/*
 * The list source: publishers LPUSH, the oldest item is at the right. Each item is moved to
 * LIST:processing:CONSUMER until its decision is committed, and removed there then. What an earlier
 * process left there comes first, and what a consumer that is gone left (takeover.h).
 */
enum { LIST_BLOCK_MS = 5000 };

struct list;
struct list *list_new(struct flow *flow, struct redis_connection *connection, const char *key,
                      int64_t claim_after_ms);
struct list *list_free(struct list *list); /* takes NULL; returns NULL */
/* The connection was lost for an answer that was too long: reads less. An item that is too long by
 * itself is moved to the list KEY:too-large, unread, since all behind it would wait for ever. */
void list_too_long(struct list *list);
void list_reset(struct list *list);             /* the connection is new */
void list_commands_too_long(struct list *list); /* that for commands; takes NULL */
void list_reset_commands(struct list *list);    /* the same, of that for commands; takes NULL */
void list_set(struct list *list, int64_t claim_after_ms); /* from now on; takes NULL */
/* Reads on where it may, but not while the feed goes first; takes NULL. */
void list_turn(struct list *list, bool feed_first);

#endif
