/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_PUBLISH_H
#define DISPATCHD_REDIS_PUBLISH_H

#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/redis/connection.h"
#include "dispatchd/redis/health.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Rows of the spool's outbox on their way to Redis: one MULTI … EXEC at a time, and the next only
 * when the answer to this one is there. Where Redis doesn't allow transactions, the same rows go as
 * single commands, pipelined. Whatever goes wrong, it goes on from the rows that Redis has not
 * confirmed: at least once, in order for a stream and for a job (outbox.h).
 *
 * A new connection may lead to another server, which may lack what the one before had confirmed
 * just before it went: nothing is sent until publisher_go() or publisher_again() says which it is.
 */
enum { PUBLISH_ROWS_MAX = 256, PUBLISH_BYTES_MAX = 1 << 20 };

struct publisher;
struct publisher *publisher_new(struct engine_thread *engine, struct redis_connection *connection);
struct publisher *publisher_free(struct publisher *publisher); /* takes NULL; returns NULL */

/* Takes the list over. */
void publisher_add(struct publisher *publisher, struct publications *list);
void publisher_reset(struct publisher *publisher); /* the connection is new */
/* A server that has all that was confirmed is lost: from now it is known what counts as just
 * before. */
void publisher_lost(struct publisher *publisher);
void publisher_go(struct publisher *publisher); /* the server has all that was confirmed */
/* It may not: goes on behind what was confirmed PUBLISH_AGAIN_MS before the connection was lost.
 * False where that is nothing. */
bool publisher_again(struct publisher *publisher);
/* Redis has confirmed something over this connection. */
bool publisher_confirmed(const struct publisher *publisher);
void publisher_turn(struct publisher *publisher);
size_t publisher_waiting(const struct publisher *publisher); /* rows not yet confirmed */

/* A stream of the configuration that rows may go to. `key` must outlive the publisher. Whether it
 * can be written is known without anything to write, too: a command that adds nothing is tried now
 * and then. */
void publisher_expect(struct publisher *publisher, const char *key);
/* Asks whether the streams can be written; tries once a second at most. */
void publisher_probe_soon(struct publisher *publisher);
/* The streams that are expected or refuse, by number from 0; NULL beyond the last. */
const struct health *publisher_stream(const struct publisher *publisher, size_t i);

#endif
