/* SPDX-License-Identifier: MIT */
/*
 * GET /api/v1/today, and what the page of today has besides: a look at all customers. A thread
 * makes it, so that nobody waits for one of a million customers but whoever is the first to ask.
 */
#include "center/api/survey.h"

#include "center/api/ask_daemon.h"
#include "center/api/records.h"
#include "common/clock.h"
#include "engine/check.h"
#include "overview/today.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { CHEAP_MS = 250, PATIENCE_S = 10, TIMES = 10 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wanted, done;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	const struct settings *settings;
	int64_t asked, made; /* the number of the latest one that is wanted, and that is made */
	json_t *last;        /* NULL: none, or it failed: `fault` */
	struct error fault;
	int64_t work_ms; /* that the last one took */
	struct tick at;  /* when it was made */
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .wanted = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static const char unfinished[] = "all customers are being checked; try again in a moment";

/* -- making one, in the thread ----------------------------------------------------------------- */

static bool make(struct stores *stores, struct arena *arena, json_t **ret, struct error *err)
{
	struct overview overview;
	struct instant now = clock_now();
	json_t *findings = NULL, *customers = NULL, *collisions = NULL, *failed = NULL;
	struct spool *spool = stores_spool(stores, err);
	bool good = spool && stores_overview(stores, arena, now, &overview, err) &&
	            check_all(overview.settings, now, &kept.stop, &findings, err) &&
	            today_customers(&overview, &customers, err) &&
	            today_collisions(&overview, spool, &collisions, err) &&
	            today_failed_jobs(&overview, spool, &failed, err);
	*ret = NULL;
	if (good) {
		*ret = json_incref(customers);
		json_object_set(*ret, "findings", findings);
		json_object_set(*ret, "collisions", collisions);
		json_object_set(*ret, "failed_jobs", failed);
	}
	json_decref(findings);
	json_decref(customers);
	json_decref(collisions);
	json_decref(failed);
	return good;
}

/* How long this thread has worked: on a busy machine a few customers take long, too, and a look at
 * them is still cheap. */
static int64_t worked_ms(void)
{
	struct timespec worked = {0};
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &worked);
	return (int64_t)worked.tv_sec * 1000 + worked.tv_nsec / 1000000;
}

static void keep(json_t *made, const struct error *fault, int64_t number, int64_t work_ms)
{
	json_decref(kept.last);
	kept.last = made;
	kept.fault = *fault;
	kept.made = number;
	kept.work_ms = work_ms;
	kept.at = clock_tick();
	(void)pthread_cond_broadcast(&kept.done);
}

/* Under the lock, but while it works. */
static void make_next(void)
{
	struct error err = {0};
	json_t *made;
	int64_t number = kept.asked;
	const struct settings *settings = kept.settings;
	(void)pthread_mutex_unlock(&kept.lock);
	int64_t before_ms = worked_ms();
	struct stores *stores = stores_new(settings);
	struct arena *arena = arena_new();
	(void)make(stores, arena, &made, &err);
	arena_free(arena);
	(void)stores_free(stores);
	int64_t work_ms = worked_ms() - before_ms;
	(void)pthread_mutex_lock(&kept.lock);
	keep(made, &err, number, work_ms);
}

static void *work(void *arg)
{
	(void)arg;
	(void)pthread_mutex_lock(&kept.lock);
	while (!atomic_load(&kept.stop)) {
		if (kept.asked > kept.made)
			make_next();
		else
			(void)pthread_cond_wait(&kept.wanted, &kept.lock);
	}
	(void)pthread_mutex_unlock(&kept.lock);
	return NULL;
}

/* -- asking for one ---------------------------------------------------------------------------- */

static bool is_dear(void)
{
	return kept.last && kept.work_ms >= CHEAP_MS;
}

static bool is_fresh(void)
{
	return clock_tick().ms - kept.at.ms < TIMES * kept.work_ms;
}

/* One that begins from now on; what is being made may have seen too little. */
static void want_next(const struct settings *settings)
{
	kept.settings = settings;
	if (!kept.started && !atomic_load(&kept.stop))
		kept.started = pthread_create(&kept.thread, NULL, work, NULL) == 0;
	kept.asked++;
	(void)pthread_cond_signal(&kept.wanted);
}

static void wait_for(int64_t number)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (kept.made < number && !atomic_load(&kept.stop))
		if (pthread_cond_timedwait(&kept.done, &kept.lock, &until) != 0)
			return;
}

bool survey(struct call *call, json_t **ret, struct error *err)
{
	(void)pthread_mutex_lock(&kept.lock);
	if (!is_dear()) {
		want_next(stores_settings(call->stores));
		wait_for(kept.asked);
	} else if (!is_fresh() && kept.asked == kept.made) {
		want_next(stores_settings(call->stores));
	}
	*ret = kept.last ? json_deep_copy(kept.last) : NULL;
	*err = kept.fault;
	(void)pthread_mutex_unlock(&kept.lock);
	if (*ret != NULL)
		return true;
	if (err->code == 0)
		(void)error_set(err, EX_UNAVAILABLE, "%s", unfinished);
	return false;
}

bool survey_unfinished(const struct error *err)
{
	return err->code == EX_UNAVAILABLE && strcmp(err->text, unfinished) == 0;
}

void survey_stop(void)
{
	(void)pthread_mutex_lock(&kept.lock);
	atomic_store(&kept.stop, true);
	(void)pthread_cond_signal(&kept.wanted);
	(void)pthread_cond_broadcast(&kept.done);
	bool started = kept.started;
	kept.started = false;
	(void)pthread_mutex_unlock(&kept.lock);
	if (started)
		(void)pthread_join(kept.thread, NULL);
}

void survey_free(void)
{
	json_decref(kept.last);
	kept.last = NULL;
	kept.fault = (struct error){0};
	kept.asked = kept.made = 0;
	atomic_store(&kept.stop, false);
}

/* -- the API ----------------------------------------------------------------------------------- */

bool survey_mailing(struct call *call, const json_t *status, json_t *findings, struct error *err)
{
	struct spool *spool = stores_spool(call->stores, err);
	return spool && check_relays(status, spool, findings, err) &&
	       check_pause(spool, call->now, findings, err) &&
	       check_reports(spool, call->now, findings, err);
}

static void api_survey_today(struct call *call)
{
	struct error err;
	json_t *all = NULL, *status = NULL;
	if (!ask_daemon(call, REQUEST_STATUS, json_object(), &status, &err))
		status = NULL;
	if (survey(call, &all, &err) &&
	    survey_mailing(call, status, json_object_get(all, "findings"), &err))
		response_json(call->response, 200, json_incref(json_object_get(all, "findings")));
	else
		call_fail(call, &err);
	json_decref(status);
	json_decref(all);
}

const struct route api_today_routes[] = {
        {ROUTE("GET", "/api/v1/today", ACCESS_READER, api_survey_today),
         .summary = "What somebody should look at, as `dispatchctl check` finds it", .list = true},
        {0},
};
