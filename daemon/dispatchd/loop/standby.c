/* SPDX-License-Identifier: MIT */
/* What a machine does while it follows: it answers who the owner is, and waits to be it. */
#include "dispatchd/loop/standby.h"

#include "base/buf.h"
#include "common/clock.h"
#include "db/db.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/control/control.h"
#include "dispatchd/http/pages.h"
#include "dispatchd/http/server.h"
#include "dispatchd/loop/loop.h"
#include "dispatchd/loop/reload.h"
#include "dispatchd/report/report_socket.h"
#include "dispatchd/sys/daemon_view.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/notify.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <signal.h>
#include <sysexits.h>

enum { SIGNALS = 3 };

struct standby {
	struct event_base *base;
	struct cluster *cluster;
	struct daemon_view view;
	struct http_server *http;
	struct control *control;
	struct report_socket *report;
	struct event *come, *tick, *watchdog, *signals[SIGNALS];
	enum standby_end end;
	struct error *err;
};

/* From the follower's thread. */
static void wake(void *arg)
{
	struct standby *standby = arg;
	event_active(standby->come, 0, 0);
}

static void on_come(evutil_socket_t fd, short what, void *arg)
{
	struct standby *standby = arg;
	(void)fd;
	(void)what;
	if (standby->end == STANDBY_FAILED) /* as long as nothing else ends it */
		event_base_loopbreak(standby->base);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify_again();
	log_last();
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify_watchdog();
}

/* With files that aren't sound it goes on as it is; else it begins again once the answer is out. */
static void reload(struct standby *standby)
{
	static const struct timeval soon = {.tv_usec = 100 * 1000};
	struct buf faults = {0};
	bool sound = reload_is_sound(standby->view.settings->file, &faults);
	control_reload_begins(standby->control);
	control_reloaded(standby->control, buf_text(&faults));
	buf_free(&faults);
	if (!sound)
		return;
	standby->end = STANDBY_RELOAD;
	event_base_loopexit(standby->base, &soon);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct standby *standby = arg;
	(void)what;
	if (number == SIGHUP) {
		if (standby->end != STANDBY_STOPPED)
			reload(standby);
		return;
	}
	log_write(LOG_NOTICE, "stopping signal=%s", number == SIGINT ? "INT" : "TERM");
	notify_stopping();
	standby->end = STANDBY_STOPPED;
	event_base_loopbreak(standby->base);
}

/* A signal may have come while the loop was ending, and nobody else would hear of it. Who was told
 * to stop, or to read new settings, doesn't begin. All signals are held then, also from the threads
 * that an owner starts. */
static void decide_end(struct standby *standby)
{
	loop_hold_signals();
	(void)event_base_loop(standby->base, EVLOOP_NONBLOCK);
	if (standby->end != STANDBY_FAILED)
		return;
	if (cluster_owns(standby->cluster))
		standby->end = STANDBY_OWNS;
	else
		(void)cluster_failed(standby->cluster, standby->err);
}

static void start_reload(void *arg)
{
	reload(arg);
}

/* ---- start and end */

static struct event *every(struct standby *standby, int64_t ms, event_callback_fn fn)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct event *event = event_new(standby->base, -1, EV_PERSIST, fn, standby);
	event_add(event, &wait);
	return event;
}

static void take_signals(struct standby *standby)
{
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
	sigset_t ours;
	for (size_t i = 0; i < SIGNALS; i++) {
		standby->signals[i] = evsignal_new(standby->base, numbers[i], on_signal, standby);
		event_add(standby->signals[i], NULL);
	}
	loop_signal_set(&ours);
	pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

static bool open_sockets(struct standby *standby, struct error *err)
{
	const struct settings *settings = standby->view.settings;
	const struct http_place place = {.listen = settings->http.listen,
	                                 .group = settings->http.group,
	                                 .hosts = settings->http.hosts};
	const struct control_calls calls = {.reload = start_reload, .arg = standby};
	if (*place.listen &&
	    !(standby->http = http_new(standby->base, &place, http_pages, &standby->view, err)))
		return false;
	standby->control =
	        control_new(standby->base, settings->spool.path, &standby->view, &calls, err);
	if (!standby->control)
		return false;
	standby->report =
	        report_socket_new(standby->base, settings->spool.path, &standby->view, err);
	return standby->report;
}

static bool open_all(struct standby *standby, struct error *err)
{
	const struct settings *settings = standby->view.settings;
	if (!db_may_write(settings->spool.path, err) ||
	    !db_may_write(settings->customers.path, err))
		return false;
	standby->come = event_new(standby->base, -1, 0, on_come, standby);
	standby->tick = every(standby, LOOP_TICK_MS, on_tick);
	if (notify_watchdog_ms())
		standby->watchdog = every(standby, notify_watchdog_ms(), on_watchdog);
	/* Its lock first: it tells whether a socket that is there is a dead daemon's. */
	return cluster_follow(standby->cluster, wake, standby, err) && open_sockets(standby, err);
}

static void end_event(struct event *event)
{
	if (event)
		event_free(event);
}

static void close_all(struct standby *standby)
{
	loop_hold_signals();
	for (size_t i = 0; i < SIGNALS; i++)
		end_event(standby->signals[i]);
	http_free(standby->http);
	control_free(standby->control);
	report_socket_free(standby->report);
	cluster_end_following(standby->cluster);
	end_event(standby->come);
	end_event(standby->tick);
	end_event(standby->watchdog);
	event_base_free(standby->base);
}

enum standby_end standby_run(const struct settings *settings, struct cluster *cluster,
                             struct error *err)
{
	struct standby standby = {.cluster = cluster, .end = STANDBY_FAILED, .err = err};
	standby.view = (struct daemon_view){
	        .settings = settings, .cluster = cluster, .started = clock_now()};
	evthread_use_pthreads();
	standby.base = event_base_new();
	if (!standby.base) {
		error_set(err, EX_TEMPFAIL, "no event loop");
		return STANDBY_FAILED;
	}
	if (open_all(&standby, err)) {
		take_signals(&standby);
		notify_ready("Standby");
		if (event_base_dispatch(standby.base) < 0)
			error_set(err, EX_SOFTWARE, "the event loop failed");
		decide_end(&standby);
	}
	close_all(&standby);
	return standby.end;
}
