/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_CLUSTER_H
#define DISPATCHD_CLUSTER_CLUSTER_H

#include "base/error.h"
#include "dispatchd/cluster/follower.h"
#include "engine/engine.h"
#include "model/settings.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * The cluster as the loop sees it (CONTRACT 12): this machine follows until it owns the cluster,
 * and works until it has lost it; what it is again afterwards begins with another cluster_new().
 *
 *	cluster_new() ─ cluster_follow() … cluster_owns() ─ cluster_journal() … cluster_is_lost()
 */
struct cluster;

/* NULL with `err` where the key can't be used (78, 77). Takes `settings` over, also on failure. */
struct cluster *cluster_new(struct settings *settings, struct error *err) MUST_CHECK;
/* Gives the lease back where it is ours. Takes NULL; returns NULL. */
struct cluster *cluster_free(struct cluster *cluster);

/* Opens the databases and follows; codes as engine_open(). `wake` is called from another thread
 * when cluster_owns() or cluster_failed() has changed. */
bool cluster_follow(struct cluster *cluster, void (*wake)(void *arg), void *arg,
                    struct error *err) MUST_CHECK;
/* Ends that where it hasn't ended; `wake` isn't called anymore. */
void cluster_end_following(struct cluster *cluster);
/* True once this machine is the owner; the databases are closed then. */
bool cluster_owns(struct cluster *cluster);
/* True where it can't be a member as it is configured. */
bool cluster_failed(struct cluster *cluster, struct error *ret_why);

/* For engine_open_journaled(); it lives as long as the cluster. The owner's alone. */
const struct engine_journal *cluster_journal(struct cluster *cluster);
/* From now on `lost` is called, from another thread, when the lease is lost; NULL: nobody. */
void cluster_set_lost(struct cluster *cluster, void (*lost)(void *arg), void *arg);
/* Whether the lease is lost; `ret_why` may be NULL. False without a cluster (NULL). */
bool cluster_is_lost(struct cluster *cluster, struct error *ret_why);
/* The owner: whether a standby follows; and gives the lease up, so that it can go on. */
bool cluster_has_standby(struct cluster *cluster);
void cluster_resign(struct cluster *cluster, const struct error *why);
/* Whether a turn waits for Redis: until it has it, or the lease is lost. False without a cluster.
 */
bool cluster_waits(struct cluster *cluster);
/* Nothing is appended anymore: whoever waits for that gets a fault. */
void cluster_close_journal(struct cluster *cluster);

/* What this machine is, and what is said of the owner to whoever asks a standby (75). */
void cluster_view(struct cluster *cluster, struct member_view *ret);
void cluster_refusal(struct cluster *cluster, struct error *ret);
/* {"name", "member", "role", "owner", "lag", "standbys": […], "fault"} */
json_t *cluster_json(struct cluster *cluster);

#endif
