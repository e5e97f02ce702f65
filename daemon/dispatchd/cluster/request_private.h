/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_REQUEST_PRIVATE_H
#define DISPATCHD_CLUSTER_REQUEST_PRIVATE_H

/*
 * For request*.c only.
 *
 *   request.c          sends, waits for replicas, reads answers
 *   request_lease.c    who holds the lease
 *   request_journal.c  appending and reading entries
 *   request_members.c  how far each member is, and trimming
 */
#include "common/args.h"
#include "dispatchd/cluster/request.h"

#include <stdbool.h>
#include <stdint.h>

/* All of these empty `args`. NULL or false with `err` where Redis didn't do it. */
redisReply *request_run(struct sync *redis, struct args *args, struct error *err) MUST_CHECK;
bool request_run_number(struct sync *redis, struct args *args, int64_t *ret,
                        struct error *err) MUST_CHECK;
/* The answer to the command, once `wait` replicas know of what it did, within a quarter of the
 * lease. */
redisReply *request_run_and_wait(struct sync *redis, const struct member *member, struct args *args,
                                 int wait, struct error *err) MUST_CHECK;

/* Sets `err` for an answer of another kind than was asked for; returns false. */
bool request_strange(struct error *err);
/* What an id or a text begins with. */
bool request_read_number(const redisReply *value, int64_t *ret) MUST_CHECK;

#endif
