/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_LEASE_H
#define DISPATCHD_CLUSTER_LEASE_H

#include "base/error.h"
#include "dispatchd/cluster/member.h"
#include "dispatchd/cluster/request.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The lease: whose it is, and ours for as long as a thread of its own renews it in time. How long
 * it is valid counts from before each renewal was sent, by this machine's clock since its start,
 * so that it ends here before it ends in Redis; what acts looks at sys/lease_clock.h. Once lost it
 * stays lost: another lease_new() begins again.
 *
 *	lease_new() ─ lease_take() … lease_take() ─ ours ─▶ lost, or lease_free()
 */
struct lease;

struct lease *lease_new(const struct member *member); /* borrowed, and must outlive it */
/* Gives it back to Redis where it is ours, so that a standby needn't wait. Takes NULL; returns
 * NULL. */
struct lease *lease_free(struct lease *lease);

/*
 * One try, with that connection. True: it is ours from now on. False with `err`: 75 another has it
 * (*ret_holder), 69 and others: Redis can't be asked, or too few of its replicas took part.
 */
bool lease_take(struct lease *lease, struct sync *redis, int64_t epoch_floor,
                struct holder *ret_holder, struct error *err) MUST_CHECK;

/* Gives it up while it is ours: it is lost from now on, and Redis soon knows. */
void lease_resign(struct lease *lease, const struct error *why);
/* Called when it is lost, once, from a thread of its own and under its lock: it must only post a
 * wake-up. Once this returns, the one before isn't called anymore. */
void lease_set_lost(struct lease *lease, void (*lost)(void *arg), void *arg);
bool lease_is_lost(struct lease *lease, struct error *ret_why); /* `ret_why` may be NULL */
/* As it was taken; constant from then on. */
const struct holder *lease_ours(const struct lease *lease);
int lease_wait(const struct lease *lease); /* how many replicas must have what is written */

#endif
