/* SPDX-License-Identifier: MIT */
#ifndef REDIS_PUBLISH_H
#define REDIS_PUBLISH_H

#include "engine_thread.h"
#include "redis/link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Rows of the spool's outbox on their way to Redis: one MULTI … EXEC at a time, and the next only when
 * the answer to this one is there. Where Redis doesn't allow transactions, the same rows go as single
 * commands, pipelined. Whatever goes wrong, it goes on from the rows that Redis has not confirmed: at
 * least once, in order for a stream and for a job (outbox.h).
 */
enum { PUBLISH_ROWS_MAX = 256, PUBLISH_BYTES_MAX = 1 << 20 };

struct publisher;
struct publisher *publisher_new(struct engine_thread *engine, struct link *link);
struct publisher *publisher_free(struct publisher *publisher); /* takes NULL; returns NULL */

void publisher_add(struct publisher *publisher, struct publications *list); /* takes the list over */
void publisher_reset(struct publisher *publisher);                          /* the connection is new */
void publisher_turn(struct publisher *publisher);
size_t publisher_waiting(const struct publisher *publisher); /* rows not yet confirmed */

#endif
