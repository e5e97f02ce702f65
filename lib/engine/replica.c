/* SPDX-License-Identifier: MIT */
/* A standby's databases: locked, opened, and changed by entries of the journal alone. */
#include "engine/replica.h"

#include "engine/lock.h"
#include "journal/pack.h"
#include "records/customers.h"
#include "records/customers_changes.h"
#include "spool/spool.h"
#include "spool/spool_journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

struct replica {
	int lock_fd;
	struct spool *spool;
	struct customers *customers;
	struct journal_position position;
};

/* ---- opening ---- */

static bool read_position(struct replica *replica, struct error *err)
{
	if (!spool_begin_read(replica->spool, err))
		return false;
	replica->position = spool_position(replica->spool);
	spool_end_read(replica->spool);
	return true;
}

bool replica_set_owner(struct replica *replica, const char *owner, struct error *err)
{
	return customers_set_role(replica->customers, CLUSTER_STANDBY, owner, err);
}

struct replica *replica_open(const struct settings *settings, struct error *err)
{
	struct replica *replica = mem_alloc(sizeof *replica);
	const char *path = settings->spool.path;
	replica->lock_fd = -1;
	/* Before anything is made beside a file that isn't ours. */
	if (!spool_inspect(path, err) || !customers_inspect(settings->customers.path, err) ||
	    (replica->lock_fd = engine_lock(path, err)) < 0 ||
	    !(replica->spool = spool_open(path, DB_FOLLOW, err)) ||
	    !(replica->customers = customers_open_follower(settings->customers.path, err)) ||
	    !read_position(replica, err) || !replica_set_owner(replica, "", err) ||
	    !spool_follow_begin(replica->spool, err))
		return replica_close(replica);
	return replica;
}

struct replica *replica_close(struct replica *replica)
{
	if (replica == NULL)
		return NULL;
	spool_close(replica->spool);
	customers_close(replica->customers);
	if (replica->lock_fd >= 0)
		(void)close(replica->lock_fd);
	free(replica);
	return NULL;
}

struct journal_entry replica_fence(int64_t epoch)
{
	return (struct journal_entry){.kind = JOURNAL_FENCE,
	                              .epoch = epoch,
	                              .spool = spool_schema_version(),
	                              .customers = customers_schema_version()};
}

struct journal_position replica_position(const struct replica *replica)
{
	return replica->position;
}

struct replica_schemas replica_schemas(const struct replica *replica)
{
	return (struct replica_schemas){.spool = db_version(spool_db(replica->spool)),
	                                .customers = db_version(customers_db(replica->customers))};
}

/* ---- an entry ---- */

static bool can_have_schema(const struct db *db, const char *name, int64_t entry, int64_t ours,
                            struct error *err)
{
	int64_t here = db_version(db);
	if (entry > ours)
		return error_set(err, EX_CONFIG,
		                 "the owner's %s is of schema %" PRId64
		                 ", and this program knows %" PRId64
		                 ": upgrade dispatchd on this machine",
		                 name, entry, ours);
	return entry >= here ||
	       error_set(err, EX_DATAERR,
	                 "the owner's %s is of schema %" PRId64 ", and this machine's of %" PRId64
	                 " already: seed it again with `dispatchctl backup -` on the owner and "
	                 "`dispatchctl restore -` here",
	                 name, entry, here);
}

/* The owner has migrated its own files with this entry, by the same statements. */
static bool has_schemas(struct replica *replica, const struct journal_entry *entry,
                        struct error *err)
{
	struct db *spool = spool_db(replica->spool);
	struct db *customers = customers_db(replica->customers);
	return can_have_schema(spool, "spool.db", entry->spool, spool_schema_version(), err) &&
	       can_have_schema(customers, "customers.db", entry->customers,
	                       customers_schema_version(), err) &&
	       db_migrate(spool, entry->spool, err) &&
	       customers_migrate(replica->customers, entry->customers, err);
}

static bool follow_spool(struct replica *replica, const struct journal_part *part,
                         const struct journal_entry *entry, struct error *err)
{
	struct journal_position behind = journal_behind(entry);
	struct spool_changes changes = {.bytes = part->bytes, .len = part->len};
	if (!spool_follow(replica->spool, &changes, 1, &behind, err))
		return false;
	replica->position = behind;
	return true;
}

/* The office's changes, each of which is made once, and then the spool's with the position: a crash
 * between them has the entry made again. */
static bool follow_parts(struct replica *replica, const struct buf *body,
                         const struct journal_entry *entry, struct error *err)
{
	struct journal_part part, spool = {.kind = JOURNAL_SPOOL};
	size_t at = 0;
	while (journal_next_part(body->data, body->len, &at, &part, err)) {
		if (part.kind == JOURNAL_SPOOL)
			spool = part;
		else if (!customers_follow(replica->customers, part.id, part.bytes, part.len, err))
			return false;
	}
	return err->code == 0 && follow_spool(replica, &spool, entry, err);
}

static bool follow(struct replica *replica, const struct journal_entry *entry, struct error *err)
{
	struct buf body = {0};
	bool good = journal_unpack(entry->body, entry->len, &body, err) &&
	            follow_parts(replica, &body, entry, err);
	buf_free(&body);
	return good;
}

static bool apply_one(struct replica *replica, const struct journal_key *key,
                      const struct journal_entry *entry, struct error *err)
{
	return journal_verify(key, &replica->position, entry, err) &&
	       has_schemas(replica, entry, err) && follow(replica, entry, err);
}

/* ---- several together ---- */

enum { RUN_MAX = 64, RUN_BYTES = 1 << 20 }; /* packed: a hundredth of an answer of Redis */

/* Entries that change nothing but the spool. */
struct run {
	struct journal_position behind;
	struct spool_changes changes[RUN_MAX];
	struct buf bodies[RUN_MAX];
	size_t n, bytes;
};

static bool has_our_schemas(const struct replica *replica, const struct journal_entry *entry)
{
	struct replica_schemas here = replica_schemas(replica);
	return entry->spool == here.spool && entry->customers == here.customers;
}

/* False where it has more than the spool's part. */
static bool read_changes(const struct buf *body, struct spool_changes *ret)
{
	struct journal_part part;
	struct error fault;
	size_t at = 0;
	if (!journal_next_part(body->data, body->len, &at, &part, &fault) || at != body->len ||
	    part.kind != JOURNAL_SPOOL)
		return false;
	*ret = (struct spool_changes){.bytes = part.bytes, .len = part.len};
	return true;
}

static bool add_to_run(struct run *run, const struct replica *replica,
                       const struct journal_key *key, const struct journal_entry *entry)
{
	struct error fault;
	struct buf *body = &run->bodies[run->n];
	run->bytes += entry->len;
	if (run->n == RUN_MAX || run->bytes > RUN_BYTES || entry->kind != JOURNAL_TURN ||
	    !has_our_schemas(replica, entry) || !journal_verify(key, &run->behind, entry, &fault))
		return false;
	if (!journal_unpack(entry->body, entry->len, body, &fault) ||
	    !read_changes(body, &run->changes[run->n])) {
		buf_free(body);
		return false;
	}
	run->behind = journal_behind(entry);
	run->n++;
	return true;
}

/* How many of the first ones are followed together; 0 where the first has to be by itself, or says
 * what is wrong then. */
static size_t apply_run(struct replica *replica, const struct journal_key *key,
                        const struct journal_entry *entries, size_t n)
{
	struct run run = {.behind = replica->position};
	struct error fault;
	while (run.n < n && add_to_run(&run, replica, key, &entries[run.n]))
		;
	bool made =
	        run.n > 1 && spool_follow(replica->spool, run.changes, run.n, &run.behind, &fault);
	for (size_t i = 0; i < run.n; i++)
		buf_free(&run.bodies[i]);
	if (made)
		replica->position = run.behind;
	return made ? run.n : 0;
}

bool replica_apply(struct replica *replica, const struct journal_key *key,
                   const struct journal_entry *entries, size_t n, struct error *err)
{
	for (size_t i = 0, made; i < n; i += made) {
		made = n - i > 1 ? apply_run(replica, key, &entries[i], n - i) : 0;
		if (made > 0)
			continue;
		if (!apply_one(replica, key, &entries[i], err))
			return false;
		made = 1;
	}
	return true;
}
