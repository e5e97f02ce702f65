/* SPDX-License-Identifier: MIT */
/*
 * A reload, at SIGHUP: daemon/dispatchd/loop/reload.c reads the files in a thread of its own; here
 * the loop gives what it read to everybody, and keeps what was replaced until nobody reads it any
 * more.
 */
#include "base/mem.h"
#include "base/zone.h"
#include "common/clock.h"
#include "dispatchd/control/control.h"
#include "dispatchd/engine/engine_thread.h"
#include "dispatchd/http/server.h"
#include "dispatchd/loop/loop_private.h"
#include "dispatchd/loop/reload.h"
#include "dispatchd/redis/client.h"
#include "dispatchd/report/report_socket.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/notify.h"

#include <stdlib.h>

enum { FIXED_MAX = 64 };

/* Settings that a reload has replaced; threads may still be reading them for a moment. */
struct retired {
	struct retired *next;
	struct settings *settings;
	struct tick since;
};

void loop_free_retired(struct loop *loop, int64_t older_than_ms)
{
	struct retired **at = &loop->retired;
	while (*at) {
		struct retired *retired = *at;
		/* The engine keeps its settings for as long as its turn fails: hours, with a full
		 * disk. */
		bool in_use = loop->view.engine &&
		              retired->settings == engine_thread_settings(loop->view.engine);
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
	*retired = (struct retired){
	        .next = loop->retired, .settings = settings, .since = clock_tick()};
	loop->retired = retired;
}

static void report_fixed(const struct settings *old, const struct settings *new)
{
	const char *names[FIXED_MAX];
	size_t n = settings_fixed_differences(old, new, names, FIXED_MAX);
	for (size_t i = 0; i < n; i++)
		log_write(LOG_NOTICE, "reload: a new value needs a restart key=%s", names[i]);
}

static void on_reloaded(void *arg, struct settings *settings, struct templates *templates,
                        const char *faults)
{
	struct loop *loop = arg;
	loop->reload = NULL;
	if (settings) {
		report_fixed(loop->settings, settings);
		log_set_level(LOG_DEBUG - (int)settings->log.level);
		zones_renew(); /* the system's tzdata may be newer */
		engine_thread_reload(loop->view.engine, settings);
		engine_thread_set_templates(loop->view.engine, templates);
		redis_client_reload(loop->view.redis, settings);
		http_set_hosts(loop->http, settings->http.hosts);
		retire(loop, loop->settings);
		templates_unref(loop->templates);
		loop->view.settings = loop->settings = settings;
		loop->templates = templates;
		report_socket_reload(loop->report);
		log_write(LOG_NOTICE, "reloaded file=%s", settings->file);
	} else {
		log_write(LOG_ERR | MESSAGE_RELOAD_REFUSED,
		          "reload refused, nothing has changed file=%s", loop->settings->file);
	}
	notify_ready(settings ? "Running" : "Running; the last reload was refused");
	control_reloaded(loop->control, faults);
	if (loop->reload_again)
		loop_start_reload(loop);
}

void loop_start_reload(void *arg)
{
	struct loop *loop = arg;
	loop->reload_again = loop->reload != NULL;
	if (loop->reload)
		return;
	control_reload_begins(loop->control);
	if (loop->view.stopping) {
		control_reloaded(loop->control, "dispatchd is stopping");
		return;
	}
	notify_reloading();
	loop->reload =
	        reload_start(loop->base, loop->settings->file, loop->view.pool, on_reloaded, loop);
	if (!loop->reload) {
		notify_ready("Running");
		control_reloaded(loop->control,
		                 "no thread could be started to read the configuration");
	}
}
