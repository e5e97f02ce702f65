/* SPDX-License-Identifier: MIT */
/* GET /api/v1/today, and what the page of today has besides: a look at all customers, which is
 * shared by all who ask as long as it is expensive. */
#include "center/api/survey.h"

#include "center/api/ask_daemon.h"
#include "center/api/records.h"
#include "common/clock.h"
#include "engine/check.h"
#include "overview/today.h"

#include <pthread.h>
#include <sysexits.h>
#include <time.h>

enum { CHEAP_MS = 250, PATIENCE_S = 2, TIMES = 10 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool running;
	json_t *last;
	int64_t work_ms; /* that it took */
	struct tick at;  /* of `last` */
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

/* -- making one -------------------------------------------------------------------------------- */

static bool make(struct call *call, json_t **ret, struct error *err)
{
	struct overview overview;
	json_t *findings = NULL, *customers = NULL, *collisions = NULL;
	struct spool *spool = stores_spool(call->stores, err);
	bool good = spool && call_overview(call, &overview, err) &&
	            check_all(overview.settings, call->now, &findings, err) &&
	            today_customers(&overview, &customers, err) &&
	            today_collisions(&overview, spool, &collisions, err);
	if (good) {
		*ret = json_incref(customers);
		json_object_set(*ret, "findings", findings);
		json_object_set(*ret, "collisions", collisions);
	}
	json_decref(findings);
	json_decref(customers);
	json_decref(collisions);
	return good;
}

/* -- sharing it -------------------------------------------------------------------------------- */

static bool is_fresh(void)
{
	return kept.last && kept.work_ms >= CHEAP_MS &&
	       clock_tick().ms - kept.at.ms < TIMES * kept.work_ms;
}

/* Under the lock, until whoever makes one is done. */
static void wait_a_moment(void)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (kept.running && kept.last == NULL)
		if (pthread_cond_timedwait(&kept.done, &kept.lock, &until) != 0)
			return;
}

/* How long this thread has worked: on a busy machine a few customers take long, too, and a look at
 * them is still cheap. */
static int64_t worked_ms(void)
{
	struct timespec worked = {0};
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &worked);
	return (int64_t)worked.tv_sec * 1000 + worked.tv_nsec / 1000000;
}

static bool make_and_keep(struct call *call, json_t **ret, struct error *err)
{
	int64_t before_ms = worked_ms();
	bool good = make(call, ret, err);
	json_t *copy = good ? json_deep_copy(*ret) : NULL;
	(void)pthread_mutex_lock(&kept.lock);
	if (good) {
		json_decref(kept.last);
		kept.last = copy;
		kept.at = clock_tick();
		kept.work_ms = worked_ms() - before_ms;
	}
	kept.running = false;
	(void)pthread_cond_broadcast(&kept.done);
	(void)pthread_mutex_unlock(&kept.lock);
	return good;
}

bool survey(struct call *call, json_t **ret, struct error *err)
{
	(void)pthread_mutex_lock(&kept.lock);
	if (kept.running)
		wait_a_moment();
	bool wanted = !kept.running && !is_fresh();
	json_t *copy = !wanted && kept.last ? json_deep_copy(kept.last) : NULL;
	kept.running = kept.running || wanted;
	(void)pthread_mutex_unlock(&kept.lock);
	if (wanted)
		return make_and_keep(call, ret, err);
	if (copy == NULL)
		return error_set(err, EX_UNAVAILABLE,
		                 "all customers are being checked; try again in a moment");
	*ret = copy;
	return true;
}

void survey_free(void)
{
	json_decref(kept.last);
	kept.last = NULL;
}

/* -- the API ----------------------------------------------------------------------------------- */

bool survey_mailing(struct call *call, const json_t *status, json_t *findings, struct error *err)
{
	struct spool *spool = stores_spool(call->stores, err);
	return spool && check_relays(status, spool, findings, err) &&
	       check_pause(spool, call->now, findings, err);
}

static void today(struct call *call)
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
        {ROUTE("GET", "/api/v1/today", ACCESS_READER, today),
         .summary = "What somebody should look at, as `dispatchctl check` finds it", .list = true},
        {0},
};
