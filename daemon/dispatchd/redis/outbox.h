/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_OUTBOX_H
#define DISPATCHD_REDIS_OUTBOX_H

#include "dispatchd/engine/engine_thread.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The rows that Redis is still to get, and which of them may go next: those of one stream in order,
 * and those of one job in order, whatever streams they go to. A stream that refuses an entry
 * (another type under its name, no permission) is left alone for a while, and so is what has to
 * come after it for the same jobs; the rest goes on. When its time has come, one entry tries it.
 */
struct outbox;
struct outbox *outbox_new(void);
struct outbox *outbox_free(struct outbox *outbox); /* takes NULL; returns NULL */

void outbox_add(struct outbox *outbox, struct publications *list); /* takes the list over */
size_t outbox_waiting(const struct outbox *outbox);                /* rows that Redis hasn't got */

/* Rows for the next transaction, in order: `max` and `max_bytes` at most, but one in any case. They
 * stay ours. */
size_t outbox_choose(struct outbox *outbox, struct publication **ret, size_t max, size_t max_bytes);

/* How Redis answered a row that was chosen. */
void outbox_taken(struct outbox *outbox, struct publication *row);
/* True for the first one of its stream in this transaction. */
bool outbox_refused(struct outbox *outbox, const struct publication *row);

/* The transaction is over: rows that are there are let go. Redis has all rows up to `*ret_seq`; all
 * that it has got since the start weigh `*ret_taken`. */
void outbox_settle(struct outbox *outbox, int64_t *ret_seq, uint64_t *ret_taken);

/* Throws all rows away, as if Redis had them as far as their weight goes, and knows it to have
 * those up to `seq`. */
void outbox_clear(struct outbox *outbox, int64_t seq);
/* The same of a list that isn't added. */
void outbox_skip(struct outbox *outbox, struct publications *list);
uint64_t outbox_weight_taken(const struct outbox *outbox);

/* The connection is new: nothing is left alone any longer. */
void outbox_retry(struct outbox *outbox);

#endif
