/* SPDX-License-Identifier: MIT */
/*
 * A standby's thread. Whatever fails is tried again: a connection, a disk, an entry that doesn't
 * fit, since a seed may be put in place of the databases only while no daemon runs.
 */
#include "dispatchd/cluster/follower.h"

#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/cluster/namesake.h"
#include "dispatchd/cluster/request.h"
#include "dispatchd/sys/log.h"
#include "engine/replica.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum {
	ENTRIES_A_READ = 64,
	BLOCK_MS = 250,
	PROGRESS_MS = 1000,
	AGAIN_MS = 500,
	COLLECT_MS = 100,
	PATIENCE_MS = 3000, /* of a connection, BLOCK_MS with it */
};

struct follower {
	const struct member *member;
	struct replica *replica;
	struct sync *redis;
	int wait;             /* so many replicas have to have what is followed; as the lease's */
	int64_t progress_ms;  /* when it was told last; monotonic */
	int64_t looked_ms;    /* when owner and journal's end were looked at last; monotonic */
	bool registered;      /* the journal keeps what comes for us from now on */
	bool awaits_seed;     /* … for the seed that we need */
	bool outrun;          /* another was faster at taking over: that is no fault */
	size_t at_once;       /* how many entries a read asks for: less where they are large */
	struct namesake here; /* who else has our name and follows */
	int64_t namesake_ms;  /* since when the lease's holder has our name; 0: it hasn't */
	int64_t namesake;     /* its epoch */
	pthread_t thread;
	atomic_bool stop;
	void (*wake)(void *arg);
	void *arg;

	pthread_mutex_t lock;
	struct member_view view;
	struct lease *lease; /* ours, and nobody has taken it over */
	bool failed;
};

/* ---- what it shows ---- */

static void show(struct follower *f, enum member_role role, const struct error *fault)
{
	pthread_mutex_lock(&f->lock);
	bool other = f->view.role != role || (fault && strcmp(fault->text, f->view.fault.text));
	f->view.role = role;
	f->view.fault = fault ? *fault : (struct error){0};
	pthread_mutex_unlock(&f->lock);
	if (other && fault)
		log_fault(LOG_ERR, "doesn't follow the owner of the cluster: %s", fault->text);
	else if (other)
		log_fault(LOG_NOTICE, "follows the owner of the cluster number=%" PRId64,
		          replica_position(f->replica).number);
}

static bool show_owner(struct follower *f, const struct holder *holder, struct error *err)
{
	pthread_mutex_lock(&f->lock);
	(void)snprintf(f->view.owner, sizeof f->view.owner, "%s", holder->name);
	pthread_mutex_unlock(&f->lock);
	return replica_set_owner(f->replica, holder->name, err);
}

static void show_lag(struct follower *f, int64_t last)
{
	int64_t lag = last - replica_position(f->replica).number;
	pthread_mutex_lock(&f->lock);
	f->view.lag = lag > 0 ? lag : 0;
	pthread_mutex_unlock(&f->lock);
}

void follower_view(struct follower *f, struct member_view *ret)
{
	pthread_mutex_lock(&f->lock);
	*ret = f->view;
	pthread_mutex_unlock(&f->lock);
}

/* Another machine has our name: false, and the end. */
static bool fail(struct follower *f, struct error *ret_why)
{
	error_set(ret_why, EX_CONFIG,
	          "another machine of the cluster is called %s, too: [redis] consumer must differ",
	          f->member->name);
	pthread_mutex_lock(&f->lock);
	f->failed = true;
	f->view.fault = *ret_why;
	pthread_mutex_unlock(&f->lock);
	atomic_store(&f->stop, true);
	return false;
}

/* ---- following ---- */

static int64_t position(const struct follower *f)
{
	return replica_position(f->replica).number;
}

/* Whether what was read is in Redis for good: a master that is cut off may have an entry that the
 * journal never gets, behind which nobody else goes on. One that doesn't fit isn't followed anyway,
 * and says nothing of how far we are. */
static bool is_kept(struct follower *f, const struct journal_entry *first, struct error *err)
{
	struct journal_position at = replica_position(f->replica);
	struct error unfit;
	if (f->wait == 0 || !journal_verify(&f->member->key, &at, first, &unfit))
		return true;
	return request_progress(f->redis, f->member, at.number, false, err) &&
	       request_is_kept(f->redis, f->wait, err);
}

static bool apply(struct follower *f, const struct journal_entry *entries, size_t n,
                  struct error *err)
{
	struct replica_schemas before = replica_schemas(f->replica);
	bool good = replica_apply(f->replica, &f->member->key, entries, n, err);
	struct replica_schemas now = replica_schemas(f->replica);
	if (now.spool != before.spool || now.customers != before.customers)
		log_fault(LOG_NOTICE,
		          "migrated the cluster's databases spool=%" PRId64 " customers=%" PRId64,
		          now.spool, now.customers);
	return good;
}

/* What is behind the position; *ret_n of them were followed. */
static bool follow_some(struct follower *f, int block_ms, size_t *ret_n, struct error *err)
{
	struct arena *arena = arena_new();
	struct journal_entry entries[ENTRIES_A_READ];
	size_t n;
	*ret_n = 0;
	bool good = request_read(f->redis, f->member, position(f), f->at_once, block_ms, arena,
	                         entries, &n, err);
	/* An answer has a bound, and a few large entries are beyond it. */
	if (good && f->at_once < ENTRIES_A_READ)
		f->at_once *= 2;
	else if (!good && f->at_once > 1)
		f->at_once = 1;
	int64_t before = position(f);
	good = good && (n == 0 || (is_kept(f, &entries[0], err) && apply(f, entries, n, err)));
	*ret_n = (size_t)(position(f) - before);
	arena_free(arena);
	return good;
}

/* The journal keeps what comes from the number on. */
static bool tell_progress(struct follower *f, struct error *err)
{
	int64_t now_ms = clock_mono_ms();
	if (f->registered && now_ms < f->progress_ms + PROGRESS_MS)
		return true;
	f->progress_ms = now_ms;
	f->registered = request_progress(f->redis, f->member, position(f), false, err);
	f->awaits_seed = false;
	bool other;
	if (!f->registered || !namesake_look(&f->here, f->redis, f->member, &other, err))
		return false;
	return !other || fail(f, err);
}

/* ---- taking over ---- */

static bool follow_to_the_end(struct follower *f, struct error *err)
{
	size_t n;
	/* Who was never in the cluster follows nothing: the journal has to be empty. */
	if (position(f) == 0)
		return true;
	do
		if (!follow_some(f, 0, &n, err))
			return false;
	while (n > 0);
	return true;
}

/* Behind it nobody with an older lease appends anything. */
static bool put_fence(struct follower *f, struct lease *lease, struct error *err)
{
	struct journal_position before = replica_position(f->replica);
	struct journal_entry fence = replica_fence(lease_ours(lease)->epoch);
	journal_seal(&f->member->key, &before, &fence);
	enum appended is = request_append(f->redis, f->member, lease_ours(lease), lease_wait(lease),
	                                  &before, &fence, err);
	if (is == APPEND_FAILED)
		return false;
	if (is != APPENDED)
		return error_set(err, EX_TEMPFAIL,
		                 "another member has written to the journal meanwhile");
	return apply(f, &fence, 1, err);
}

static bool become_owner(struct follower *f, struct lease *lease, struct error *err)
{
	if (!follow_to_the_end(f, err) || !put_fence(f, lease, err))
		return false;
	log_fault(LOG_NOTICE, "owns the cluster epoch=%" PRId64 " number=%" PRId64,
	          lease_ours(lease)->epoch, position(f));
	f->replica = replica_close(f->replica);
	pthread_mutex_lock(&f->lock);
	f->lease = lease;
	pthread_mutex_unlock(&f->lock);
	return true;
}

/* True where this member is the owner now. */
static bool take_over(struct follower *f, struct error *err)
{
	struct holder holder;
	struct lease *lease = lease_new(f->member);
	if (lease_take(lease, f->redis, replica_position(f->replica).epoch, &holder, err) &&
	    become_owner(f, lease, err))
		return true;
	f->outrun = holder.name[0] != '\0' && strcmp(holder.name, f->member->name) != 0;
	lease_free(lease);
	return false;
}

/* ---- at the journal's end ---- */

/* Redis has lost the end of the journal, and another member went on from where it had been. */
static bool is_other_history(const struct follower *f, const struct journal_ends *ends)
{
	struct journal_position here = replica_position(f->replica);
	const struct journal_position *last = &ends->last;
	if (last->number == here.number)
		return memcmp(last->seal, here.seal, sizeof here.seal) != 0;
	return last->number > 0 && last->number < here.number && last->epoch > here.epoch;
}

static bool needs_seed(const struct follower *f, const struct journal_ends *ends, struct error *err)
{
	int64_t number = position(f);
	if (number == 0 && ends->last.number > 0)
		return !error_set(
		        err, EX_DATAERR,
		        "this machine was never in the cluster: seed it with "
		        "`dispatchctl backup -` on the owner and `dispatchctl restore -` here");
	if (number > 0 && ends->first > number + 1)
		return !error_set(err, EX_DATAERR,
		                  "the journal begins with %" PRId64 ", but this machine has got "
		                  "%" PRId64
		                  ": seed it again with `dispatchctl backup -` on the owner "
		                  "and `dispatchctl restore -` here",
		                  ends->first, number);
	if (number > 0 && is_other_history(f, ends))
		return !error_set(err, EX_DATAERR,
		                  "entry %" PRId64
		                  " of the journal isn't the one that this machine "
		                  "has got: seed it again with `dispatchctl backup -` on the owner "
		                  "and `dispatchctl restore -` here",
		                  ends->last.number < number ? ends->last.number : number);
	return false;
}

/* What comes is kept from now on, so that a seed that is taken now can follow. */
static void await_seed(struct follower *f, int64_t last)
{
	struct error unheard;
	if (f->awaits_seed)
		return;
	f->awaits_seed = request_progress(f->redis, f->member, last, true, &unheard);
	if (!f->awaits_seed)
		log_fault(LOG_WARNING, "%s", unheard.text);
}

/* An entry that doesn't fit may be one that is behind a gap; *err says so then. */
static void find_gap(struct follower *f, struct error *err)
{
	struct journal_ends ends;
	struct error seed;
	if (!request_ends(f->redis, f->member, &ends, &seed) || !needs_seed(f, &ends, &seed))
		return;
	*err = seed;
	await_seed(f, ends.last.number);
}

/* Ours was it before a crash and runs out, or another machine has the name, too. */
static bool is_namesake(struct follower *f, const struct holder *holder)
{
	int64_t now_ms = clock_mono_ms();
	if (strcmp(holder->name, f->member->name) != 0) {
		f->namesake_ms = 0;
		return false;
	}
	if (f->namesake_ms == 0 || f->namesake != holder->epoch) {
		f->namesake_ms = now_ms;
		f->namesake = holder->epoch;
	}
	return now_ms - f->namesake_ms > f->member->lease_ms + PATIENCE_MS;
}

/* True where this member is the owner now. */
static bool look_around(struct follower *f, struct error *err)
{
	struct journal_ends ends;
	struct holder holder;
	f->looked_ms = clock_mono_ms();
	if (!request_ends(f->redis, f->member, &ends, err) ||
	    !request_holder(f->redis, f->member, &holder, err) || !show_owner(f, &holder, err))
		return false;
	show_lag(f, ends.last.number);
	if (is_namesake(f, &holder))
		return fail(f, err);
	if (needs_seed(f, &ends, err)) {
		await_seed(f, ends.last.number);
		return false;
	}
	if (position(f) > 0 && !tell_progress(f, err))
		return false;
	show(f, MEMBER_STANDBY, NULL);
	return holder.name[0] == '\0' && take_over(f, err);
}

/* ---- the thread ---- */

static bool connect_once(struct follower *f, struct error *err)
{
	if (f->redis)
		return true;
	f->redis = sync_open(f->member->settings, PATIENCE_MS, err);
	if (f->redis &&
	    (!sync_is_agreed(f->redis, err) || !request_wait(f->redis, f->member, &f->wait, err)))
		f->redis = sync_close(f->redis);
	return f->redis;
}

static void pause_after_fault(struct follower *f, const struct error *err)
{
	const struct timespec pause = {.tv_nsec = AGAIN_MS * 1000000L};
	/* Of what Redis said nothing has to be read again, but a connection that broke is. */
	if (err->code == EX_UNAVAILABLE)
		f->redis = sync_close(f->redis);
	(void)nanosleep(&pause, NULL);
}

/* Several turns that are read together cost little more than one: a read, a WAIT and a commit for
 * all of them. The owner waits for Redis, not for us. */
static void let_turns_collect(void)
{
	const struct timespec pause = {.tv_nsec = COLLECT_MS * 1000000L};
	(void)nanosleep(&pause, NULL);
}

static void *follow_main(void *arg)
{
	struct follower *f = arg;
	bool owner = false;
	(void)pthread_setname_np(pthread_self(), "follower");
	while (!owner && !atomic_load(&f->stop)) {
		struct error err = {0};
		size_t n = 0;
		f->outrun = false;
		bool good = connect_once(f, &err) &&
		            (position(f) == 0 || follow_some(f, BLOCK_MS, &n, &err));
		if (good)
			err.code = 0; /* one sentinel of several may not have answered */
		/* With an owner that never rests there is always something to follow, too. */
		if (good && (n == 0 || clock_mono_ms() >= f->looked_ms + PROGRESS_MS))
			owner = look_around(f, &err);
		else if (f->redis && err.code == EX_DATAERR)
			find_gap(f, &err);
		if (good && n > 0 && n < ENTRIES_A_READ && !owner)
			let_turns_collect();
		if (owner || err.code == 0 || f->outrun)
			continue;
		show(f, MEMBER_JOINING, &err);
		pause_after_fault(f, &err);
	}
	f->redis = sync_close(f->redis);
	f->wake(f->arg);
	return NULL;
}

struct follower *follower_start(const struct member *member, void (*wake)(void *arg), void *arg,
                                struct error *err)
{
	struct replica *replica = replica_open(member->settings, err);
	if (!replica)
		return NULL;
	struct follower *f = mem_alloc(sizeof *f);
	f->member = member;
	f->replica = replica;
	f->at_once = ENTRIES_A_READ;
	namesake_begin(&f->here);
	f->wake = wake;
	f->arg = arg;
	pthread_mutex_init(&f->lock, NULL);
	if (pthread_create(&f->thread, NULL, follow_main, f) != 0)
		bug("can't start the follower's thread");
	return f;
}

struct follower *follower_stop(struct follower *f)
{
	if (!f)
		return NULL;
	atomic_store(&f->stop, true);
	pthread_join(f->thread, NULL);
	replica_close(f->replica);
	lease_free(f->lease);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return NULL;
}

struct lease *follower_take_lease(struct follower *f)
{
	pthread_mutex_lock(&f->lock);
	struct lease *lease = f->lease;
	f->lease = NULL;
	pthread_mutex_unlock(&f->lock);
	return lease;
}

bool follower_failed(struct follower *f, struct error *ret_why)
{
	pthread_mutex_lock(&f->lock);
	bool failed = f->failed;
	if (failed)
		*ret_why = f->view.fault;
	pthread_mutex_unlock(&f->lock);
	return failed;
}
