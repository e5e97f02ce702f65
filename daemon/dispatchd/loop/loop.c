/* SPDX-License-Identifier: MIT */
/*
 * The loop. Whatever happens (a reply of Redis, the engine's wake-up, a signal) only notes it and
 * asks for a turn; do_turn() does all that is due.
 */
#include "base/mem.h"
#include "common/clock.h"
#include "db/db.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/control/control.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/http/pages.h"
#include "dispatchd/http/server.h"
#include "dispatchd/loop/loop_private.h"
#include "dispatchd/loop/reload.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/mailer/relay_test.h"
#include "dispatchd/redis/client.h"
#include "dispatchd/report/report_socket.h"
#include "dispatchd/sys/lease_clock.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/notify.h"
#include "version.h"

#include <event2/thread.h>
#include <stdlib.h>
#include <sysexits.h>

enum { RETIRED_MS = 60 * 1000 }; /* a thread that still reads old settings is done by then */

/* ---- waking up */

static void on_clock_set(void *arg)
{
	struct loop *loop = arg;
	log_fault(LOG_NOTICE, "the clock was set; rechecking what is due");
	engine_thread_clock_set(loop->view.engine);
}

/* The watchdog is pinged only while the engine makes turns, too, or waits for a cluster's journal,
 * which ends with the lease. */
static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	(void)fd;
	(void)what;
	if (engine_thread_stalled(loop->view.engine) && !cluster_waits(loop->view.cluster))
		log_fault(LOG_ERR | MESSAGE_STALLED, "engine stalled: withholding watchdog ping");
	else
		notify_watchdog();
}

/* ---- the turn */

static void log_reports(const struct turn_output *out)
{
	for (size_t i = 0; i < out->n_reports; i++) {
		const struct turn_report *report = &out->reports[i];
		if (report->each)
			log_write(report->level, "%s", report->text);
		else
			log_fault(report->level, "%s", report->text);
	}
}

static void deliver_reply(struct loop *loop, const struct command_route *route, const char *text)
{
	switch (route->origin) {
	case COMMAND_CONTROL:
		control_reply(loop->control, route->number, text);
		break;
	case COMMAND_HTTP:
		http_reply(loop->http, route->number, text);
		break;
	case COMMAND_REPORT:
		report_socket_reply(loop->report, route->number, text);
		break;
	}
}

static void deliver_replies(struct loop *loop, const struct effects *effects)
{
	const char **reply = effects->out.replies;
	for (const struct command *c = effects->commands; c; c = c->next)
		deliver_reply(loop, &c->route, *reply++);
}

/* For Redis: both lists become the client's. */
static void deliver_to_redis(struct loop *loop, struct effects *effects)
{
	redis_client_done(loop->view.redis, effects->done);
	redis_client_publish(loop->view.redis, effects->out.publications);
	effects->done = NULL;
	effects->out.publications = NULL;
}

/* The end of a test of the relays, if there is one. */
static void deliver_test(struct loop *loop)
{
	struct relay_test *test = pool_test_take(loop->view.pool);
	if (test)
		control_tested(loop->control, test);
	relay_test_free(test);
}

/* Another machine may own the cluster by now: nothing is finished, nothing goes out but a word to
 * those who wait for an answer. */
static void leave(struct loop *loop)
{
	static const struct timeval soon = {.tv_usec = 100 * 1000};
	struct error why;
	if (loop->lost)
		return;
	loop->lost = true;
	pool_stop(loop->view.pool, 0);
	cluster_close_journal(loop->view.cluster);
	error_set(&why, EX_TEMPFAIL, "this machine doesn't own the cluster anymore: ask again");
	control_refuse(loop->control, &why);
	event_base_loopexit(loop->base, &soon);
}

/* Where this machine can't write anymore, another may. */
static void resign_if_needed(struct loop *loop)
{
	struct cluster *cluster = loop->view.cluster;
	struct error why;
	if (cluster && !loop->view.stopping && !cluster_is_lost(cluster, NULL) &&
	    engine_thread_gives_up(loop->view.engine, cluster_has_standby(cluster), &why))
		cluster_resign(cluster, &why);
}

/* All due work, in this order, whoever asked for the turn. It never takes long: the engine's
 * batches are bounded, and Redis' replies come in their own callbacks. */
static void do_turn(struct loop *loop)
{
	resign_if_needed(loop);
	if (loop->lost || cluster_is_lost(loop->view.cluster, NULL)) {
		leave(loop);
		return;
	}
	/* What was decided stays until the lease is long enough again, or is lost. */
	struct effects *list = lease_clock_allows() ? engine_thread_take(loop->view.engine) : NULL;

	/* 1. The log comes before the effects that it explains. */
	for (const struct effects *effects = list; effects; effects = effects->next)
		log_reports(&effects->out);
	/* 2. Committed entries are acknowledged, which makes room to read more, and what was
	 * decided is published. */
	for (struct effects *effects = list; effects; effects = effects->next)
		deliver_to_redis(loop, effects);
	redis_client_turn(loop->view.redis);
	/* 3. Whoever waits on the control socket or HTTP gets the answer. */
	for (const struct effects *effects = list; effects; effects = effects->next)
		deliver_replies(loop, effects);
	deliver_test(loop);
	effects_free(list);
	/* 4. The end comes last, after all of the above. */
	loop_go_on_stopping(loop);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	do_turn(arg);
}

/* What nobody wakes us for. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	(void)fd;
	(void)what;
	relays_check(&loop->relays, loop->view.pool);
	loop_free_retired(loop, RETIRED_MS);
	notify_again();
	log_last();
	do_turn(loop);
}

/* ---- start and end */

static struct event *every(struct loop *loop, int64_t ms, event_callback_fn fn)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct event *event = event_new(loop->base, -1, EV_PERSIST, fn, loop);
	event_add(event, &wait);
	return event;
}

static void add_events(struct loop *loop)
{
	loop->tick = every(loop, LOOP_TICK_MS, on_tick);
	if (notify_watchdog_ms())
		loop->watchdog = every(loop, notify_watchdog_ms(), on_watchdog);
	loop_take_signals(loop);
	loop->clock = clock_watch_new(loop->base, on_clock_set, loop);
	if (!loop->clock)
		log_write(LOG_WARNING, "the kernel can't report when the clock is set");
}

static bool start_test(void *arg, const char *to, struct outgoing_mail *mail, struct error *err)
{
	struct loop *loop = arg;
	return pool_test_start(loop->view.pool, to, mail, loop_wake, loop, err);
}

static bool open_all(struct loop *loop, struct error *err)
{
	const struct settings *settings = loop->settings;
	if (!db_may_write(settings->spool.path, err) ||
	    !db_may_write(settings->customers.path, err))
		return false;
	/* The mailers first: pool_start() wants to be alone with the environment. */
	if (!(loop->view.pool = pool_start(settings, loop->templates, err)))
		return false;
	const struct engine_journal *journal =
	        loop->view.cluster ? cluster_journal(loop->view.cluster) : NULL;
	struct engine_thread *engine = engine_thread_start(settings, journal, loop_wake, loop, err);
	if (!(loop->view.engine = engine))
		return false;
	engine_thread_set_pool(engine, loop->view.pool);
	engine_thread_set_templates(engine, loop->templates);
	const struct http_place place = {.listen = settings->http.listen,
	                                 .group = settings->http.group,
	                                 .hosts = settings->http.hosts};
	if (*place.listen &&
	    !(loop->http = http_new(loop->base, &place, http_pages, &loop->view, err)))
		return false;
	const struct control_calls calls = {
	        .reload = loop_start_reload, .test = start_test, .arg = loop};
	loop->control = control_new(loop->base, settings->spool.path, &loop->view, &calls, err);
	loop->report = loop->control ? report_socket_new(loop->base, settings->spool.path,
	                                                 &loop->view, err)
	                             : NULL;
	if (!loop->report)
		return false;
	loop->view.redis = redis_client_new(loop->base, settings, engine, loop_wake, loop, err);
	if (loop->view.redis && loop->view.cluster)
		cluster_set_lost(loop->view.cluster, loop_wake, loop);
	return loop->view.redis;
}

/* libevent's own messages. */
static void log_libevent(int severity, const char *text)
{
	log_fault(severity >= EVENT_LOG_ERR ? LOG_ERR : LOG_WARNING, "libevent: %s", text);
}

struct loop *loop_new(struct settings *settings, struct templates *templates,
                      struct cluster *cluster, struct error *err)
{
	struct loop *loop = mem_alloc(sizeof(*loop));
	loop->view.settings = loop->settings = settings;
	loop->view.cluster = cluster;
	loop->templates = templates;
	loop->view.started = clock_now();
	event_set_log_callback(log_libevent);
	evthread_use_pthreads();
	loop->base = event_base_new();
	if (!loop->base) {
		error_set(err, EX_TEMPFAIL, "no event loop");
		return loop_free(loop);
	}
	loop->turn = event_new(loop->base, -1, 0, on_turn, loop);
	loop->soon = event_new(loop->base, -1, 0, on_turn, loop);
	if (!open_all(loop, err))
		return loop_free(loop);
	add_events(loop);
	return loop;
}

int loop_run(struct loop *loop)
{
	log_write(LOG_NOTICE | MESSAGE_STARTED, "started version=%s file=%s http=%s",
	          DISPATCHD_VERSION, loop->settings->file,
	          loop->http ? http_address(loop->http) : "off");
	notify_ready("Running");
	if (event_base_dispatch(loop->base) < 0) {
		log_write(LOG_CRIT, "the event loop failed");
		return EX_SOFTWARE;
	}
	/* Who was told to stop doesn't begin again. */
	if (loop->lost && loop->stop == STOP_NOT)
		return LOOP_LEASE_LOST;
	log_write(LOG_NOTICE, "stopped");
	return EX_OK;
}

static struct event *end_event(struct event *event)
{
	if (event)
		event_free(event);
	return NULL;
}

/* Sockets first, so that nobody asks anymore; the mailers before the engine, which writes down
 * their results. */
struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	loop_end_signals(loop);
	if (loop->view.cluster) {
		cluster_set_lost(loop->view.cluster, NULL, NULL);
		if (loop->lost)
			cluster_close_journal(loop->view.cluster);
	}
	http_free(loop->http);
	control_free(loop->control);
	report_socket_free(loop->report);
	reload_free(loop->reload);
	if (loop->view.pool)
		pool_stop(loop->view.pool, 0);
	loop->view.engine = engine_thread_stop(loop->view.engine);
	pool_free(loop->view.pool);
	redis_client_free(loop->view.redis);
	clock_watch_free(loop->clock);
	end_event(loop->tick);
	end_event(loop->watchdog);
	end_event(loop->turn);
	end_event(loop->soon);
	if (loop->base)
		event_base_free(loop->base);
	templates_unref(loop->templates);
	loop_free_retired(loop, 0);
	settings_free(loop->settings);
	free(loop);
	return NULL;
}
