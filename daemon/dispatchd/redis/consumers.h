/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REDIS_CONSUMERS_H
#define DISPATCHD_REDIS_CONSUMERS_H

#include "dispatchd/redis/reader.h"

/*
 * Other consumers of our group. One that is alive is most likely a second daemon with a spool of
 * its own, and the two would split each job's events between them: a stream that it reads counts as
 * one that can't be used (`source.alone`) until it has been idle for `claim_after`.
 */
enum { CONSUMERS_LOOK_MS = 5000 };

struct consumers;
struct consumers *consumers_new(struct flow *flow, struct reader *reader, int64_t claim_after_ms);
void consumers_set(struct consumers *consumers, int64_t claim_after_ms); /* from now on */
struct consumers *consumers_free(struct consumers *consumers); /* takes NULL; returns NULL */
void consumers_reset(struct consumers *consumers);             /* the connection is new */
void consumers_turn(struct consumers *consumers);

#endif
