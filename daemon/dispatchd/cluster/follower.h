/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_FOLLOWER_H
#define DISPATCHD_CLUSTER_FOLLOWER_H

#include "base/error.h"
#include "dispatchd/cluster/lease.h"
#include "dispatchd/cluster/member.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A standby, on a thread of its own: it reads the journal, makes each entry's changes in its
 * databases (engine/replica.h), and when nobody has the lease it takes it, seals the journal off by
 * a fence, and is done: the databases are closed, and an engine can be opened, with that lease.
 *
 *	        ┌── reads, follows ◀─┐
 *	start ──┴▶ nobody has the lease ── takes it ── follows to the end ── fence ──▶ owner
 *	joining: what it would have to follow isn't in the journal: it needs a seed
 */
struct follower;

enum member_role {
	MEMBER_JOINING, /* doesn't follow yet, or anymore: `fault` says why */
	MEMBER_STANDBY,
	MEMBER_OWNER,
};

struct member_view {
	enum member_role role;
	char owner[MEMBER_NAME_SIZE]; /* "": nobody, or not known */
	int64_t lag;                  /* how many turns of the owner it hasn't got */
	struct error fault;           /* what keeps it from following; code 0 for nothing */
};

/* Opens the databases; codes as engine_open(). `wake` is called from the thread when the follower
 * is done. `member` must outlive it. */
struct follower *follower_start(const struct member *member, void (*wake)(void *arg), void *arg,
                                struct error *err) MUST_CHECK;
/* Ends the thread and closes the databases. Takes NULL; returns NULL. */
struct follower *follower_stop(struct follower *follower);

/* The lease, which is the caller's from now on, once this member is the owner; else NULL. */
struct lease *follower_take_lease(struct follower *follower);
/* True where it has ended for good, without the lease: 78 another member has its name. */
bool follower_failed(struct follower *follower, struct error *ret_why);
void follower_view(struct follower *follower, struct member_view *ret);

#endif
