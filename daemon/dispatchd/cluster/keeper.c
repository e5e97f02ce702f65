/* SPDX-License-Identifier: MIT */
/* A look every two seconds at how long the journal is, and who needs how much of it. */
#include "dispatchd/cluster/keeper.h"

#include "base/mem.h"
#include "common/clock_ms.h"
#include "common/sync.h"
#include "dispatchd/cluster/request.h"
#include "dispatchd/sys/lease_clock.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/mono_cond.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 2000,
	PATIENCE_MS = 3000,
	ALONE_BYTES = 16 << 20, /* what is kept for nobody: who is seeded now needs it */
};

struct keeper {
	const struct member *member;
	struct sync *redis;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool stop;
	json_t *standbys; /* NULL before the first look */
	json_t *moved;    /* {name: [number, when it was there first or was at the end]} */
	size_t n_follow;  /* of the standbys */
	int64_t lag;
};

/* Our own place goes: how many are left. */
static size_t drop_own(const struct keeper *k, struct standby_place *places, size_t n)
{
	size_t left = 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(places[i].name, k->member->name) != 0)
			places[left++] = places[i];
	return left;
}

/* What comes behind its number isn't there where the journal begins with that one. */
static bool is_outrun(const struct standby_place *place, int64_t first)
{
	return place->number + 1 < first;
}

/* The least number that somebody still needs, `last` at most. False where nobody needs any. */
static bool find_slowest(const struct standby_place *places, size_t n, int64_t first, int64_t last,
                         int64_t *ret)
{
	bool found = false;
	*ret = last;
	for (size_t i = 0; i < n; i++) {
		bool needs = !is_outrun(&places[i], first);
		found |= needs;
		if (needs && places[i].number < *ret)
			*ret = places[i].number;
	}
	return found;
}

/* So many of the oldest entries go that the rest takes less than `most`, if all are alike. */
static int64_t within(int64_t bytes, int64_t most, int64_t first, int64_t last)
{
	double part = (double)most / (double)bytes * 0.9;
	return last - (int64_t)((double)(last - first + 1) * part);
}

/* For how long a standby that is behind has been where it is; noted in `moved`. */
static int64_t stuck_ms(const struct keeper *k, json_t *moved, const struct standby_place *place,
                        int64_t last)
{
	const json_t *was = json_object_get(k->moved, place->name);
	int64_t now_ms = clock_mono_ms(), since_ms = now_ms;
	if (place->number < last && was &&
	    json_integer_value(json_array_get(was, 0)) == place->number)
		since_ms = json_integer_value(json_array_get(was, 1));
	json_object_set_new(moved, place->name,
	                    json_pack("[I, I]", (json_int_t)place->number, (json_int_t)since_ms));
	return now_ms - since_ms;
}

static void show(struct keeper *k, const struct standby_place *places, size_t n, int64_t first,
                 int64_t last)
{
	json_t *list = json_array(), *moved = json_object();
	int64_t lag = 0;
	size_t follow = 0;
	for (size_t i = 0; i < n; i++) {
		bool lost = places[i].seed || is_outrun(&places[i], first);
		int64_t behind = last - places[i].number;
		lag = !lost && behind > lag ? behind : lag;
		follow += !lost;
		int64_t stuck_s = stuck_ms(k, moved, &places[i], last) / 1000;
		json_array_append_new(list,
		                      json_pack("{s:s, s:I, s:I, s:b}", "name", places[i].name,
		                                "lag", (json_int_t)behind, "stuck_s",
		                                (json_int_t)stuck_s, "lost", lost));
	}
	json_decref(k->moved);
	k->moved = moved;
	pthread_mutex_lock(&k->lock);
	json_decref(k->standbys);
	k->standbys = list;
	k->lag = lag;
	k->n_follow = follow;
	pthread_mutex_unlock(&k->lock);
}

static void report_lost(const struct standby_place *places, size_t n, int64_t before)
{
	for (size_t i = 0; i < n; i++)
		if (is_outrun(&places[i], before))
			log_fault(LOG_ERR,
			          "the journal is larger than [cluster] journal_max: a standby is "
			          "lost and has to be seeded again standby=%s number=%" PRId64,
			          places[i].name, places[i].number);
}

/* A standby that is there needs all behind its number; with none, a little is kept. */
static bool trim(struct keeper *k, const struct standby_place *places, size_t n, int64_t first,
                 int64_t last, struct error *err)
{
	int64_t bytes, most = k->member->settings->cluster.journal_max;
	int64_t least;
	bool alone = !find_slowest(places, n, first, last, &least);
	if (alone)
		least = first;
	if (!request_trim(k->redis, k->member, least, &bytes, err))
		return false;
	if (alone && most > ALONE_BYTES)
		most = ALONE_BYTES;
	if (bytes <= most)
		return true;
	int64_t before = within(bytes, most, least, last);
	if (!alone)
		report_lost(places, n, before);
	return request_trim(k->redis, k->member, before, &bytes, err);
}

static bool look(struct keeper *k, struct error *err)
{
	struct arena *arena = arena_new();
	struct standby_place *places;
	struct journal_ends ends = {0};
	size_t n;
	bool good = request_standbys(k->redis, k->member, arena, &places, &n, err) &&
	            request_ends(k->redis, k->member, &ends, err);
	int64_t last = ends.last.number;
	if (good) {
		n = drop_own(k, places, n);
		show(k, places, n, ends.first, last);
		/* What the owner has, so that it can follow whoever comes after it. The last entry
		 * may not be on its disk yet. */
		good = last == 0 || (request_progress(k->redis, k->member, last - 1, false, err) &&
		                     trim(k, places, n, ends.first, last, err));
	}
	arena_free(arena);
	return good;
}

static bool wait_on(struct keeper *k)
{
	int64_t until_ms = clock_mono_ms() + LOOK_MS;
	pthread_mutex_lock(&k->lock);
	while (!k->stop && mono_cond_wait(&k->come, &k->lock, until_ms))
		continue;
	bool stop = k->stop;
	pthread_mutex_unlock(&k->lock);
	return !stop;
}

static void *keep_main(void *arg)
{
	struct keeper *k = arg;
	(void)pthread_setname_np(pthread_self(), "keeper");
	while (wait_on(k)) {
		struct error err = {0};
		/* Another may own it by now. */
		if (!lease_clock_allows())
			continue;
		if (!k->redis)
			k->redis = sync_open(k->member->settings, PATIENCE_MS, &err);
		if (k->redis && look(k, &err))
			continue;
		log_fault(LOG_WARNING, "the journal can't be looked after: %s", err.text);
		k->redis = sync_close(k->redis);
	}
	k->redis = sync_close(k->redis);
	return NULL;
}

struct keeper *keeper_start(const struct member *member)
{
	struct keeper *k = mem_alloc(sizeof *k);
	k->member = member;
	pthread_mutex_init(&k->lock, NULL);
	mono_cond_init(&k->come);
	if (pthread_create(&k->thread, NULL, keep_main, k) != 0)
		bug("can't start the keeper's thread");
	return k;
}

struct keeper *keeper_stop(struct keeper *k)
{
	if (!k)
		return NULL;
	pthread_mutex_lock(&k->lock);
	k->stop = true;
	pthread_cond_signal(&k->come);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	json_decref(k->standbys);
	json_decref(k->moved);
	pthread_mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->come);
	free(k);
	return NULL;
}

json_t *keeper_json(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	json_t *list = json_deep_copy(k->standbys);
	pthread_mutex_unlock(&k->lock);
	return list;
}

bool keeper_has_standby(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	bool has = k->n_follow > 0;
	pthread_mutex_unlock(&k->lock);
	return has;
}

int64_t keeper_lag(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	int64_t lag = k->lag;
	pthread_mutex_unlock(&k->lock);
	return lag;
}
