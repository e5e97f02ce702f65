/* SPDX-License-Identifier: MIT */
/* The parts of a member in one: follower, then lease, writer and keeper. */
#include "dispatchd/cluster/cluster.h"

#include "base/mem.h"
#include "dispatchd/cluster/journal_writer.h"
#include "dispatchd/cluster/keeper.h"

#include <stdlib.h>
#include <sysexits.h>

struct cluster {
	struct settings *settings;
	struct member *member;
	struct follower *follower; /* until this machine is the owner */
	struct lease *lease;       /* from then on, with */
	struct journal_writer *writer;
	struct keeper *keeper;
	struct engine_journal journal;
};

struct cluster *cluster_new(struct settings *settings, struct error *err)
{
	struct cluster *cluster = mem_alloc(sizeof *cluster);
	cluster->settings = settings;
	cluster->member = member_new(settings, err);
	return cluster->member ? cluster : cluster_free(cluster);
}

struct cluster *cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return NULL;
	follower_stop(cluster->follower);
	keeper_stop(cluster->keeper);
	journal_writer_free(cluster->writer);
	lease_free(cluster->lease);
	member_free(cluster->member);
	settings_free(cluster->settings);
	free(cluster);
	return NULL;
}

bool cluster_follow(struct cluster *cluster, void (*wake)(void *arg), void *arg, struct error *err)
{
	cluster->follower = follower_start(cluster->member, wake, arg, err);
	return cluster->follower;
}

void cluster_end_following(struct cluster *cluster)
{
	cluster->follower = follower_stop(cluster->follower);
}

bool cluster_owns(struct cluster *cluster)
{
	if (cluster->lease)
		return true;
	cluster->lease = cluster->follower ? follower_take_lease(cluster->follower) : NULL;
	if (!cluster->lease)
		return false;
	cluster->follower = follower_stop(cluster->follower);
	cluster->writer = journal_writer_new(cluster->member, cluster->lease);
	cluster->journal = (struct engine_journal){journal_writer_append, cluster->writer};
	cluster->keeper = keeper_start(cluster->member);
	return true;
}

bool cluster_failed(struct cluster *cluster, struct error *ret_why)
{
	return cluster->follower && follower_failed(cluster->follower, ret_why);
}

const struct engine_journal *cluster_journal(struct cluster *cluster)
{
	return &cluster->journal;
}

void cluster_set_lost(struct cluster *cluster, void (*lost)(void *arg), void *arg)
{
	lease_set_lost(cluster->lease, lost, arg);
}

bool cluster_is_lost(struct cluster *cluster, struct error *ret_why)
{
	return cluster && lease_is_lost(cluster->lease, ret_why);
}

bool cluster_has_standby(struct cluster *cluster)
{
	return keeper_has_standby(cluster->keeper);
}

void cluster_resign(struct cluster *cluster, const struct error *why)
{
	lease_resign(cluster->lease, why);
}

bool cluster_waits(struct cluster *cluster)
{
	return cluster && journal_writer_waits(cluster->writer);
}

void cluster_close_journal(struct cluster *cluster)
{
	journal_writer_stop(cluster->writer);
}

/* ---- what is said of it ---- */

void cluster_view(struct cluster *cluster, struct member_view *ret)
{
	*ret = (struct member_view){.role = MEMBER_JOINING};
	if (cluster->follower) {
		follower_view(cluster->follower, ret);
		return;
	}
	if (!cluster->lease)
		return;
	ret->role = MEMBER_OWNER;
	ret->lag = keeper_lag(cluster->keeper);
	(void)snprintf(ret->owner, sizeof ret->owner, "%s", cluster->member->name);
}

void cluster_refusal(struct cluster *cluster, struct error *ret)
{
	struct member_view view;
	cluster_view(cluster, &view);
	if (view.owner[0] != '\0')
		error_set(ret, EX_TEMPFAIL,
		          "this machine is a standby: ask %s, which owns the cluster", view.owner);
	else
		error_set(ret, EX_TEMPFAIL,
		          "this machine is a standby, and nobody owns the cluster now");
}

static const char *role_name(enum member_role role)
{
	static const char *const names[] = {"joining", "standby", "owner"};
	return names[role];
}

json_t *cluster_json(struct cluster *cluster)
{
	struct member_view view;
	cluster_view(cluster, &view);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:I}", "name",
	                         cluster->member->settings->cluster.name, "member",
	                         cluster->member->name, "role", role_name(view.role), "owner",
	                         view.owner, "lag", (json_int_t)view.lag);
	if (view.fault.code != 0)
		json_object_set_new(json, "fault", json_string(view.fault.text));
	json_t *standbys = cluster->keeper ? keeper_json(cluster->keeper) : NULL;
	if (standbys)
		json_object_set_new(json, "standbys", standbys);
	return json;
}
