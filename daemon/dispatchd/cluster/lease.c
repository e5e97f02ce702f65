/* SPDX-License-Identifier: MIT */
/* The lease in Redis, renewed four times within its length; its end by our own clock. */
#include "dispatchd/cluster/lease.h"

#include "base/mem.h"
#include "common/clock_ms.h"
#include "dispatchd/sys/lease_clock.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/mono_cond.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sysexits.h>

/* How often it is renewed within its length, and how soon again where that failed. */
enum { RENEWALS = 4, RETRY_MS = 200, DRIFT_PARTS = 100 };

struct lease {
	const struct member *member;
	struct holder ours;
	int wait; /* replicas that were there when it was taken stay needed: a master that is cut
	           * off from them must not go on alone */
	pthread_t thread;
	bool running;
	struct sync *redis; /* the thread's */

	pthread_mutex_t lock;
	pthread_cond_t come;
	bool stop, lost, resigned;
	struct error why;
	void (*on_lost)(void *arg);
	void *arg;
};

struct lease *lease_new(const struct member *member)
{
	struct lease *lease = mem_alloc(sizeof *lease);
	lease->member = member;
	pthread_mutex_init(&lease->lock, NULL);
	mono_cond_init(&lease->come);
	lease_clock_set(0);
	return lease;
}

/* Two machines' clocks may run at speeds that differ by a hundredth. */
static int64_t valid_until(const struct lease *lease, int64_t sent_ms)
{
	return sent_ms + lease->member->lease_ms - lease->member->lease_ms / DRIFT_PARTS;
}

/* ---- renewing ---- */

/* One that was given up meanwhile stays lost. */
static void extend(struct lease *lease, int64_t sent_ms)
{
	pthread_mutex_lock(&lease->lock);
	if (!lease->lost)
		lease_clock_set(valid_until(lease, sent_ms));
	pthread_mutex_unlock(&lease->lock);
}

static void lose(struct lease *lease, const struct error *why)
{
	pthread_mutex_lock(&lease->lock);
	lease_clock_set(0);
	lease->lost = true;
	lease->why = *why;
	if (lease->on_lost)
		lease->on_lost(lease->arg);
	pthread_mutex_unlock(&lease->lock);
}

/* Until then, or until the end: true. */
static bool wait_until(struct lease *lease, int64_t until_ms)
{
	pthread_mutex_lock(&lease->lock);
	while (!lease->stop && !lease->lost && mono_cond_wait(&lease->come, &lease->lock, until_ms))
		continue;
	bool stop = lease->stop || lease->lost;
	pthread_mutex_unlock(&lease->lock);
	return stop;
}

static int patience_ms(const struct member *member)
{
	int64_t ms = member->lease_ms / 3; /* longer than WAIT takes at most */
	return (int)ms;
}

static bool renew(struct lease *lease, bool *ret_ours, struct error *err)
{
	*ret_ours = true;
	if (!lease->redis)
		lease->redis = sync_open(lease->member->settings, patience_ms(lease->member), err);
	if (!lease->redis)
		return false;
	/* A master that was cut off with one of its replicas would go on for ever. */
	bool agreed = sync_is_agreed(lease->redis, err);
	int64_t sent_ms = lease_clock_now();
	if (!agreed ||
	    !request_renew(lease->redis, lease->member, &lease->ours, lease->wait, ret_ours, err)) {
		lease->redis = sync_close(lease->redis);
		return false;
	}
	if (*ret_ours)
		extend(lease, sent_ms);
	return true;
}

static bool has_resigned(struct lease *lease)
{
	pthread_mutex_lock(&lease->lock);
	bool resigned = lease->resigned;
	pthread_mutex_unlock(&lease->lock);
	return resigned;
}

static void give_back(struct lease *lease)
{
	struct error err;
	struct sync *redis = sync_open(lease->member->settings, patience_ms(lease->member), &err);
	if (!redis || !request_release(redis, lease->member, &lease->ours, &err))
		log_fault(LOG_WARNING, "the lease can't be given back, it runs out: %s", err.text);
	sync_close(redis);
}

static void *renew_main(void *arg)
{
	struct lease *lease = arg;
	int64_t each_ms = lease->member->lease_ms / RENEWALS, next_ms = clock_mono_ms() + each_ms;
	struct error last = {0}; /* why it wasn't renewed */
	(void)pthread_setname_np(pthread_self(), "lease");
	while (!wait_until(lease, next_ms)) {
		struct error err = {0};
		bool ours;
		/* A machine that was frozen may find it over by now. */
		if (lease_clock_now() >= lease_clock_until()) {
			error_set(&err, EX_TEMPFAIL, "it wasn't renewed for %" PRId64 " ms: %s",
			          lease->member->lease_ms,
			          last.code ? last.text : "this machine stood still");
			lose(lease, &err);
			break;
		}
		bool renewed = renew(lease, &ours, &err);
		if (renewed && !ours) {
			error_set(&err, EX_TEMPFAIL, "another member has it");
			lose(lease, &err);
			break;
		}
		if (!renewed)
			log_fault(LOG_WARNING, "the lease can't be renewed: %s", err.text);
		last = err;
		if (renewed)
			last.code = 0;
		next_ms = clock_mono_ms() + (renewed ? each_ms : RETRY_MS);
	}
	if (has_resigned(lease))
		give_back(lease);
	lease->redis = sync_close(lease->redis);
	return NULL;
}

/* ---- taking ---- */

static bool is_known(struct lease *lease, struct sync *redis, struct error *err)
{
	struct error unheard;
	bool ours;
	int64_t sent_ms = lease_clock_now();
	if (request_renew(redis, lease->member, &lease->ours, lease->wait, &ours, err) && ours) {
		extend(lease, sent_ms);
		return true;
	}
	if (!request_release(redis, lease->member, &lease->ours, &unheard))
		return false; /* it runs out by itself */
	return false;
}

bool lease_take(struct lease *lease, struct sync *redis, int64_t epoch_floor,
                struct holder *ret_holder, struct error *err)
{
	bool taken;
	*ret_holder = (struct holder){0};
	error_set(err, EX_UNAVAILABLE, "the lease can't be taken");
	if (!sync_is_agreed(redis, err) || !request_wait(redis, lease->member, &lease->wait, err) ||
	    !request_take(redis, lease->member, epoch_floor, ret_holder, &taken, err))
		return false;
	if (!taken)
		return error_set(err, EX_TEMPFAIL, "%s has the lease", ret_holder->name);
	lease->ours = *ret_holder;
	if (!is_known(lease, redis, err))
		return false;
	lease->running = pthread_create(&lease->thread, NULL, renew_main, lease) == 0;
	if (!lease->running)
		bug("can't start the lease's thread");
	return true;
}

/* ---- ours ---- */

void lease_set_lost(struct lease *lease, void (*lost)(void *arg), void *arg)
{
	pthread_mutex_lock(&lease->lock);
	lease->on_lost = lost;
	lease->arg = arg;
	if (lease->lost && lost)
		lost(arg);
	pthread_mutex_unlock(&lease->lock);
}

bool lease_is_lost(struct lease *lease, struct error *ret_why)
{
	pthread_mutex_lock(&lease->lock);
	bool lost = lease->lost;
	if (lost && ret_why)
		*ret_why = lease->why;
	pthread_mutex_unlock(&lease->lock);
	return lost;
}

const struct holder *lease_ours(const struct lease *lease)
{
	return &lease->ours;
}

void lease_resign(struct lease *lease, const struct error *why)
{
	pthread_mutex_lock(&lease->lock);
	lease_clock_set(0);
	if (!lease->lost)
		lease->why = *why;
	lease->lost = lease->resigned = true;
	pthread_cond_signal(&lease->come);
	pthread_mutex_unlock(&lease->lock);
}

int lease_wait(const struct lease *lease)
{
	return lease->wait;
}

struct lease *lease_free(struct lease *lease)
{
	if (!lease)
		return NULL;
	if (lease->running) {
		pthread_mutex_lock(&lease->lock);
		lease->stop = true;
		pthread_cond_signal(&lease->come);
		pthread_mutex_unlock(&lease->lock);
		pthread_join(lease->thread, NULL);
		lease_clock_set(0);
		if (!lease->lost)
			give_back(lease);
	}
	pthread_mutex_destroy(&lease->lock);
	pthread_cond_destroy(&lease->come);
	free(lease);
	return NULL;
}
