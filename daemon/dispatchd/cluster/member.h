/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_MEMBER_H
#define DISPATCHD_CLUSTER_MEMBER_H

#include "base/error.h"
#include "dispatchd/sys/consumer_name.h"
#include "journal/journal.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* This machine as a member of a cluster: what it is called, Redis' keys, the journal's key. */
enum { MEMBER_NAME_SIZE = CONSUMER_NAME_SIZE };

struct member {
	const struct settings *settings; /* borrowed: how Redis is reached */
	char name[MEMBER_NAME_SIZE];     /* as sys/consumer_name.h */
	char *lease, *epoch, *journal;   /* keys of Redis */
	int64_t lease_ms;
	int wait; /* replicas that must have a turn; -1: as Redis has it when the lease is taken */
	struct journal_key key;
};

/* NULL with `err` (78, 77) where there is no key. `settings` must outlive it and name a cluster. */
struct member *member_new(const struct settings *settings, struct error *err) MUST_CHECK;
struct member *member_free(struct member *member); /* takes NULL; returns NULL */

#endif
