/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CLUSTER_REQUEST_H
#define DISPATCHD_CLUSTER_REQUEST_H

#include "base/error.h"
#include "base/mem.h"
#include "common/sync.h"
#include "dispatchd/cluster/member.h"
#include "journal/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a cluster says to Redis, each within the connection's time limit. What must be decided in
 * one step is a script. False with `err` (69, 77 without the right): it may have been done.
 *
 *	NAME:lease     "EPOCH MEMBER", expires
 *	NAME:epoch     a counter
 *	NAME:journal   a stream; NUMBER-0 is an entry's body, or a piece of it with NUMBER-1 and so
 *	               on, and the last of that number the rest, so that it is small; a consumer
 *	               group for each standby tells how far it is
 */
enum { HOLDER_SIZE = MEMBER_NAME_SIZE + 24 };

/* Who holds the lease: name "" for nobody. */
struct holder {
	char text[HOLDER_SIZE]; /* as it is in Redis */
	char name[MEMBER_NAME_SIZE];
	int64_t epoch;
};

/* Takes the lease if it is free, with an epoch above `epoch_floor` and that of the journal's last
 * entry. *ret is the holder afterwards. */
bool request_take(struct sync *redis, const struct member *member, int64_t epoch_floor,
                  struct holder *ret, bool *ret_taken, struct error *err) MUST_CHECK;
/* Holds it for another `lease_ms`, and waits until `wait` replicas know of it. *ret_ours: false
 * where another has had it since. */
bool request_renew(struct sync *redis, const struct member *member, const struct holder *ours,
                   int wait, bool *ret_ours, struct error *err) MUST_CHECK;
bool request_release(struct sync *redis, const struct member *member, const struct holder *ours,
                     struct error *err) MUST_CHECK;
bool request_holder(struct sync *redis, const struct member *member, struct holder *ret,
                    struct error *err) MUST_CHECK;
/* How many replicas have to confirm: as many as are configured, else one where there is any. */
bool request_wait(struct sync *redis, const struct member *member, int *ret,
                  struct error *err) MUST_CHECK;

/* What became of an entry. */
enum appended {
	APPENDED,      /* it is in the journal, and `wait` replicas have it */
	APPEND_LOST,   /* the lease isn't ours */
	APPEND_BEFORE, /* the journal ends before the entry that it follows on: only a fence may */
	APPEND_BEHIND, /* the journal has another entry of that number, or before it, or goes on */
	APPEND_FAILED, /* `err` says why: to be tried again, it may be in the journal already */
};
/* `before`: what the entry follows on. */
enum appended request_append(struct sync *redis, const struct member *member,
                             const struct holder *ours, int wait,
                             const struct journal_position *before,
                             const struct journal_entry *entry, struct error *err) MUST_CHECK;

/* Entries behind that number, in order, at most `max`; waits for the first one for `block_ms` (0:
 * not at all). Bodies are in the arena. */
bool request_read(struct sync *redis, const struct member *member, int64_t after, size_t max,
                  int block_ms, struct arena *arena, struct journal_entry *ret, size_t *ret_n,
                  struct error *err) MUST_CHECK;
/* Where the journal begins, and its last entry; zeros where it has none. */
struct journal_ends {
	int64_t first;
	struct journal_position last;
};
bool request_ends(struct sync *redis, const struct member *member, struct journal_ends *ret,
                  struct error *err) MUST_CHECK;

/* A standby tells how far it is, and that it is there; with `seed`, that it needs one, for which
 * the journal is kept from that number on. */
bool request_progress(struct sync *redis, const struct member *member, int64_t number, bool seed,
                      struct error *err) MUST_CHECK;
/* Whether so many replicas have what this connection has written, and so whatever it has read
 * before. Code 69 where they don't within two seconds. */
bool request_is_kept(struct sync *redis, int wait, struct error *err) MUST_CHECK;

/* A member as the journal's stream knows it. */
struct standby_place {
	const char *name;
	int64_t number; /* up to which entry it is, or */
	bool seed;      /* from where on the journal is kept for the seed that it needs */
};
/* All of them; in the arena. */
bool request_standbys(struct sync *redis, const struct member *member, struct arena *arena,
                      struct standby_place **ret, size_t *ret_n, struct error *err) MUST_CHECK;
/* Entries before that number go; *ret_bytes: what the journal takes then, about. */
bool request_trim(struct sync *redis, const struct member *member, int64_t before,
                  int64_t *ret_bytes, struct error *err) MUST_CHECK;

#endif
