/* SPDX-License-Identifier: MIT */
/*
 * The loop. Whatever happens (a reply of Redis, the engine's wake-up, a signal) only notes it and
 * asks for a turn; on_turn() does all that is due.
 */
#include "loop.h"

#include "base/mem.h"
#include "base/zone.h"
#include "clock.h"
#include "control.h"
#include "engine_thread.h"
#include "http/pages.h"
#include "http/server.h"
#include "log.h"
#include "mailer/pool.h"
#include "notify.h"
#include "redis/hub.h"
#include "relays.h"
#include "reload.h"
#include "version.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { FIXED_MAX = 64, RETIRE_MS = 60 * 1000 };

/* The way to the end. Each step ends by its condition or when its time is over. */
enum stop_step {
	STOP_NOT,     /* runs */
	STOP_MAILS,   /* no more events; mails in flight finish */
	STOP_RESULTS, /* the engine writes down what became of them */
	STOP_FLUSH,   /* Redis gets acknowledgements and outcomes */
	STOP_DONE,
};

/* Settings that a reload has replaced; threads may still be reading them for a moment. */
struct retired {
	struct retired *next;
	struct settings *settings;
	struct tick since;
};

enum { SIGNALS = 3 };

struct loop {
	struct event_base *base;
	struct settings *settings;
	struct templates *templates;
	struct retired *retired;
	pthread_mutex_t engine_lock; /* for mailers' wake-ups: the engine may be ending */
	struct engine_thread *engine;
	struct pool *pool;
	struct hub *hub;
	struct http_server *http;
	struct control *control;
	struct clock_watch *clock;
	struct reload *reload;
	struct relays relays;
	bool reload_again; /* another SIGHUP came meanwhile */
	struct event *turn, *tick, *soon, *watchdog, *signals[SIGNALS];
	enum stop_step stop;
	struct tick stop_until; /* of this step */
	int64_t stop_turns;     /* that the engine had made when it began */
	bool stop_at_once;      /* a second signal */
	struct instant started;
};

/* ---- what others ask */

struct engine_thread *loop_engine(const struct loop *loop)
{
	return loop->engine;
}

struct pool *loop_pool(const struct loop *loop)
{
	return loop->pool;
}

struct hub *loop_hub(const struct loop *loop)
{
	return loop->hub;
}

bool loop_engine_turns(const struct loop *loop)
{
	return clock_tick().ms - engine_thread_last_turn_ms(loop_engine(loop)) < LOOP_ENGINE_STALE_MS;
}

bool loop_stopping(const struct loop *loop)
{
	return loop->stop != STOP_NOT;
}

struct instant loop_started(const struct loop *loop)
{
	return loop->started;
}

/* ---- waking up */

/* From any thread. */
static void wake(void *arg)
{
	struct loop *loop = arg;
	event_active(loop->turn, EV_READ, 0);
}

/* From any mailer. */
static void nudge_engine(void *arg)
{
	struct loop *loop = arg;
	pthread_mutex_lock(&loop->engine_lock);
	if (loop->engine)
		engine_thread_nudge(loop->engine);
	pthread_mutex_unlock(&loop->engine_lock);
}

static struct engine_thread *set_engine(struct loop *loop, struct engine_thread *engine)
{
	pthread_mutex_lock(&loop->engine_lock);
	struct engine_thread *old = loop->engine;
	loop->engine = engine;
	pthread_mutex_unlock(&loop->engine_lock);
	return old;
}

static void on_clock_set(void *arg)
{
	struct loop *loop = arg;
	log_write(LOG_NOTICE, "the clock was set; what is due is looked at anew");
	engine_thread_clock_set(loop_engine(loop));
}

/* systemd hears of us only while the engine turns, too. */
static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (loop_engine_turns(arg))
		notify_watchdog();
	else
		log_fault(LOG_ERR, "the engine doesn't turn: the watchdog is not fed");
}

/* ---- reload */

static void free_retired(struct loop *loop, int64_t older_than_ms)
{
	struct retired **at = &loop->retired;
	while (*at) {
		struct retired *retired = *at;
		/* The engine keeps its settings for as long as its turn fails: hours, with a full disk. */
		bool in_use = loop->engine && retired->settings == engine_thread_settings(loop->engine);
		if (in_use || clock_tick().ms - retired->since.ms < older_than_ms) {
			at = &retired->next;
			continue;
		}
		*at = retired->next;
		settings_free(retired->settings);
		free(retired);
	}
}

static void retire(struct loop *loop, struct settings *settings)
{
	struct retired *retired = mem_alloc(sizeof(*retired));
	*retired = (struct retired){.next = loop->retired, .settings = settings, .since = clock_tick()};
	loop->retired = retired;
}

static void tell_fixed(const struct settings *old, const struct settings *new)
{
	const char *names[FIXED_MAX];
	size_t n = settings_fixed_differences(old, new, names, FIXED_MAX);
	for (size_t i = 0; i < n; i++)
		log_write(LOG_NOTICE, "reload: a new value needs a restart key=%s", names[i]);
}

static void start_reload(struct loop *loop);

static void on_reloaded(void *arg, struct settings *settings, struct templates *templates)
{
	struct loop *loop = arg;
	loop->reload = NULL;
	if (settings) {
		tell_fixed(loop->settings, settings);
		zones_renew(); /* the system's tzdata may be newer */
		engine_thread_reload(loop_engine(loop), settings);
		hub_reload(loop->hub, settings);
		retire(loop, loop->settings);
		templates_unref(loop->templates);
		loop->settings = settings;
		loop->templates = templates;
		log_write(LOG_NOTICE, "reloaded file=%s", settings->file);
	} else {
		log_write(LOG_ERR, "reload refused, nothing has changed file=%s", loop->settings->file);
	}
	notify_ready(settings ? "Running" : "Running; the last reload was refused");
	if (loop->reload_again)
		start_reload(loop);
}

static void start_reload(struct loop *loop)
{
	loop->reload_again = loop->reload != NULL;
	if (loop->reload || loop_stopping(loop))
		return;
	notify_reloading();
	loop->reload = reload_start(loop->base, loop->settings->file, loop->pool, on_reloaded, loop);
	if (!loop->reload)
		notify_ready("Running");
}

/* ---- stopping */

static void enter_step(struct loop *loop, enum stop_step step, int64_t at_most_ms)
{
	loop->stop = step;
	loop->stop_turns = engine_thread_turns(loop_engine(loop));
	loop->stop_until.ms = clock_tick().ms + at_most_ms;
	wake(loop);
}

static void start_stop(struct loop *loop, const char *why)
{
	log_write(LOG_NOTICE, "stopping signal=%s", why);
	notify_stopping();
	hub_close(loop->hub);
	engine_thread_drain(loop_engine(loop));
	pool_stop(loop->pool, LOOP_GRACE_MS);
	enter_step(loop, STOP_MAILS, LOOP_GRACE_MS + LOOP_FLUSH_MS);
}

static bool time_is_up(const struct loop *loop)
{
	return clock_tick().ms >= loop->stop_until.ms;
}

/* The last results are written down once the engine has begun and ended a turn since: the second that ends
 * is one. */
static bool engine_has_turned(struct loop *loop)
{
	engine_thread_nudge(loop_engine(loop));
	return engine_thread_turns(loop_engine(loop)) >= loop->stop_turns + 2;
}

static const struct timeval stop_pace = {.tv_usec = 10 * 1000};

static void go_on_stopping(struct loop *loop)
{
	if (loop->stop == STOP_MAILS && (pool_stopped(loop->pool) || time_is_up(loop)))
		enter_step(loop, STOP_RESULTS, LOOP_FLUSH_MS);
	if (loop->stop == STOP_RESULTS && (engine_has_turned(loop) || time_is_up(loop)))
		enter_step(loop, STOP_FLUSH, LOOP_FLUSH_MS);
	/* What the engine gave is in the hub's hands after the next turn of the loop, which enter_step() asks
	 * for. */
	else if (loop->stop == STOP_FLUSH && (hub_quiet(loop->hub) || time_is_up(loop)))
		enter_step(loop, STOP_DONE, 0);
	if (loop->stop == STOP_DONE || loop->stop_at_once)
		event_base_loopbreak(loop->base);
	else if (loop->stop != STOP_NOT)
		event_add(loop->soon, &stop_pace); /* nobody tells when a step is over: have a look */
}

/* ---- signals */

static void on_end_signal(evutil_socket_t number, short what, void *arg)
{
	struct loop *loop = arg;
	(void)what;
	if (loop->stop == STOP_NOT) {
		start_stop(loop, number == SIGINT ? "INT" : "TERM");
		return;
	}
	log_write(LOG_WARNING, "a second signal: stopping at once");
	loop->stop_at_once = true;
	wake(loop);
}

static void on_hup(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	start_reload(arg);
}

static const struct {
	int number;
	event_callback_fn handle;
} signal_rows[SIGNALS] = {
        {.number = SIGTERM, .handle = on_end_signal},
        {.number = SIGINT, .handle = on_end_signal},
        {.number = SIGHUP, .handle = on_hup},
};

static void mask_signals(int how)
{
	sigset_t ours;
	sigemptyset(&ours);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(&ours, signal_rows[i].number);
	pthread_sigmask(how, &ours, NULL);
}

void loop_hold_signals(void)
{
	mask_signals(SIG_BLOCK);
}

/* ---- the turn */

static void log_reports(struct report *reports)
{
	while (reports) {
		struct report *report = reports;
		reports = report->next;
		if (report->level <= LOG_WARNING && !report->counted)
			log_fault(report->level, "%s", report->text);
		else
			log_write(report->level, "%s", report->text);
		report_free(report);
	}
}

/* Numbers below zero are HTTP's. */
static void give_reply(struct loop *loop, struct command *reply)
{
	if (reply->client > 0) {
		control_reply(loop->control, reply);
		return;
	}
	http_told(loop->http, -reply->client, reply->text);
	command_free(reply);
}

static void give_replies(struct loop *loop, struct command *replies)
{
	while (replies) {
		struct command *reply = replies;
		replies = reply->next;
		reply->next = NULL;
		give_reply(loop, reply);
	}
}

/* All due work, in this order, whoever asked for the turn. It never takes long: the engine's batches are
 * bounded, and Redis' replies come in their own callbacks. */
static void do_turn(struct loop *loop)
{
	struct effects effects;
	engine_thread_take(loop_engine(loop), &effects);

	/* 1. What people should know comes before what follows from it. */
	log_reports(effects.reports);
	/* 2. Committed entries are acknowledged, which makes room to read more. */
	hub_done(loop->hub, effects.done);
	/* 3. What was decided goes out. */
	hub_publish(loop->hub, effects.publications);
	hub_turn(loop->hub);
	/* 4. Whoever waits on the control socket or HTTP gets the answer. */
	give_replies(loop, effects.replies);
	/* 5. The end comes last, when all of the above is seen to. */
	go_on_stopping(loop);
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
	relays_look(&loop->relays, loop->pool);
	free_retired(loop, RETIRE_MS);
	notify_again();
	do_turn(loop);
}

/* ---- the control socket's status */

static json_t *relays_json(struct loop *loop)
{
	struct pool_relay relays[RELAYS_MAX];
	json_t *list = json_array();
	size_t n = pool_relays(loop->pool, relays, RELAYS_MAX);
	for (size_t i = 0; i < n; i++) {
		char since[INSTANT_TEXT_MAX];
		json_t *relay =
		        json_pack("{s:s, s:b, s:s, s:i, s:I}", "name", relays[i].name, "up", relays[i].up,
		                  "since", instant_format(relays[i].since, 0, since), "sessions",
		                  (int)relays[i].sessions, "delivered", (json_int_t)relays[i].delivered);
		if (relay && !relays[i].up)
			json_object_set_new(relay, "reply", json_string(relays[i].words));
		json_array_append_new(list, relay ? relay : json_null());
	}
	return list;
}

static void add_status(void *arg, json_t *answer)
{
	struct loop *loop = arg;
	char started[INSTANT_TEXT_MAX];
	json_object_set_new(answer, "version", json_string(DISPATCHD_VERSION));
	json_object_set_new(answer, "started", json_string(instant_format(loop->started, 0, started)));
	json_object_set_new(answer, "uptime_s", json_integer((clock_now().ms - loop->started.ms) / 1000));
	json_object_set_new(answer, "redis",
	                    json_pack("{s:b, s:s}", "connected", (int)hub_connected(loop->hub), "url",
	                              hub_target(loop->hub)));
	json_object_set_new(answer, "relays", relays_json(loop));
	json_object_set_new(answer, "stopping", json_boolean(loop_stopping(loop)));
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
	for (size_t i = 0; i < SIGNALS; i++) {
		loop->signals[i] =
		        evsignal_new(loop->base, signal_rows[i].number, signal_rows[i].handle, loop);
		event_add(loop->signals[i], NULL);
	}
	mask_signals(SIG_UNBLOCK); /* for this thread; the others were started before */
	loop->clock = clock_watch_new(loop->base, on_clock_set, loop);
	if (!loop->clock)
		log_write(LOG_WARNING, "the kernel can't tell when the clock is set");
}

static bool open_all(struct loop *loop, struct error *err)
{
	const struct settings *settings = loop->settings;
	/* The mailers first: pool_start() wants to be alone with the environment. */
	if (!(loop->pool = pool_start(settings, loop->templates, nudge_engine, loop, err)))
		return false;
	struct engine_thread *engine = engine_thread_start(settings, wake, loop, err);
	set_engine(loop, engine);
	if (!engine)
		return false;
	engine_thread_set_pool(engine, loop->pool);
	if (*settings->http.listen &&
	    !(loop->http = http_new(loop->base, settings->http.listen, http_pages, loop, err)))
		return false;
	loop->control = control_new(loop->base, settings->spool.path, engine, add_status, loop, err);
	if (!loop->control)
		return false;
	loop->hub = hub_new(loop->base, settings, engine, wake, loop, err);
	return loop->hub;
}

/* What libevent has to say. */
static void log_libevent(int severity, const char *text)
{
	log_fault(severity >= EVENT_LOG_ERR ? LOG_ERR : LOG_WARNING, "libevent: %s", text);
}

struct loop *loop_new(struct settings *settings, struct templates *templates, struct error *err)
{
	struct loop *loop = mem_alloc(sizeof(*loop));
	loop->settings = settings;
	loop->templates = templates;
	loop->started = clock_now();
	pthread_mutex_init(&loop->engine_lock, NULL);
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
	log_write(LOG_NOTICE, "started version=%s file=%s http=%s", DISPATCHD_VERSION, loop->settings->file,
	          loop->http ? http_address(loop->http) : "off");
	notify_ready("Running");
	if (event_base_dispatch(loop->base) < 0) {
		log_write(LOG_CRIT, "the event loop failed");
		return EX_SOFTWARE;
	}
	log_write(LOG_NOTICE, "stopped");
	return EX_OK;
}

static struct event *end_event(struct event *event)
{
	if (event)
		event_free(event);
	return NULL;
}

/* What matters is on disk: whoever can't wait for threads to end need not. */
static void on_late_signal(int number)
{
	(void)number;
	_exit(EX_OK);
}

/* The loop doesn't run any more, so that nobody would hear of a signal; and its default would be an end with
 * a fault. */
static void end_signals(struct loop *loop)
{
	if (!loop->signals[0])
		return;
	mask_signals(SIG_BLOCK);
	for (size_t i = 0; i < SIGNALS; i++) {
		end_event(loop->signals[i]);
		(void)signal(signal_rows[i].number,
		             signal_rows[i].handle == on_end_signal ? on_late_signal : SIG_IGN);
	}
	mask_signals(SIG_UNBLOCK);
}

/* Sockets first, so that nobody asks any more; the mailers before the engine, which writes down their
 * results. */
struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return NULL;
	end_signals(loop);
	http_free(loop->http);
	control_free(loop->control);
	reload_free(loop->reload);
	if (loop->pool)
		pool_stop(loop->pool, 0);
	struct engine_thread *engine = set_engine(loop, NULL);
	if (engine)
		engine_thread_stop(engine);
	pool_free(loop->pool);
	hub_free(loop->hub);
	clock_watch_free(loop->clock);
	end_event(loop->tick);
	end_event(loop->watchdog);
	end_event(loop->turn);
	end_event(loop->soon);
	if (loop->base)
		event_base_free(loop->base);
	templates_unref(loop->templates);
	free_retired(loop, 0);
	settings_free(loop->settings);
	pthread_mutex_destroy(&loop->engine_lock);
	free(loop);
	return NULL;
}
