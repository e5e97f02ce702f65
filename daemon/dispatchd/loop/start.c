/* SPDX-License-Identifier: MIT */
/*
 * The start, as often as it takes. Each try reads the configuration again, as a restart would.
 * Signals are blocked until the loop runs; between two tries they are waited for together with the
 * time.
 */
#include "dispatchd/loop/start.h"

#include "base/backoff.h"
#include "base/error.h"
#include "common/clock_ms.h"
#include "db/db.h"
#include "dispatchd/cluster/cluster.h"
#include "dispatchd/loop/inspect.h"
#include "dispatchd/loop/loop.h"
#include "dispatchd/loop/reload.h"
#include "dispatchd/loop/standby.h"
#include "dispatchd/sys/lease_clock.h"
#include "dispatchd/sys/log.h"
#include "dispatchd/sys/notify.h"
#include "model/settings.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

enum { PAUSE_MIN_MS = 1000, PAUSE_MAX_MS = 60 * 1000, LAST_PAUSE_MS = 10 * 1000 };

/* One try to start. */
struct attempt {
	struct loop *loop;  /* NULL: it failed, with `err` */
	bool stopped;       /* by a signal, while it was a standby */
	bool again;         /* the configuration is to be read again */
	bool configuration; /* the configuration can't be used; the log says why */
	bool passing;       /* a wait may mend it */
	struct error err;
};

static void log_fault_line(void *arg, const char *text)
{
	(void)arg;
	log_write(LOG_ERR | MESSAGE_NOT_STARTED, "%s", text);
}

/* A folder that isn't there looks like a typo, not like a disk at fault. */
static bool has_folders(const struct settings *settings)
{
	struct error err;
	return db_has_directory(settings->spool.path, &err) &&
	       db_has_directory(settings->customers.path, &err);
}

/* In a cluster: follows until this machine owns it. True where a loop may begin. */
static bool own_cluster(const struct settings *settings, struct cluster **cluster,
                        struct attempt *attempt)
{
	int code;
	lease_clock_set(CLOCK_NEVER_MS); /* before this it may have been in one */
	if (!*settings->cluster.name)
		return true;
	/* Its own, since a reload replaces those of the loop. */
	struct settings *own = settings_load(settings->file, NULL, log_fault_line, NULL, &code);
	if (!own)
		return error_set(&attempt->err, code, "%s can't be read", settings->file);
	*cluster = cluster_new(own, &attempt->err);
	if (!*cluster)
		return false;
	enum standby_end end = standby_run(settings, *cluster, &attempt->err);
	attempt->stopped = end == STANDBY_STOPPED;
	attempt->again = end == STANDBY_RELOAD;
	return end == STANDBY_OWNS;
}

static void forget(struct settings *settings, struct templates *templates)
{
	templates_unref(templates);
	settings_free(settings);
}

static struct attempt try_to_start(const char *file, bool first, struct cluster **cluster)
{
	struct attempt attempt = {0};
	struct settings *settings;
	struct templates *templates;
	attempt.err.code = reload_read(file, false, log_fault_line, NULL, &settings, &templates);
	attempt.configuration = attempt.err.code != EX_OK;
	if (attempt.configuration)
		return attempt;
	log_set_level(LOG_DEBUG - (int)settings->log.level);
	if (first && templates_built_in_only(templates))
		log_write(LOG_NOTICE, "no templates in %s; mails use the built-in ones",
		          settings->mail.templates);
	if (first)
		inspect_dates(settings);
	bool folders = has_folders(settings);
	if (own_cluster(settings, cluster, &attempt))
		attempt.loop = loop_new(settings, templates, *cluster, &attempt.err);
	else
		forget(settings, templates);
	int code = attempt.err.code;
	attempt.passing =
	        folders && (code == EX_UNAVAILABLE || code == EX_TEMPFAIL || code == EX_IOERR);
	return attempt;
}

/* Waits, or until a signal: true where it asks for the end; SIGHUP only ends the wait. */
static bool pause_start(int64_t ms)
{
	sigset_t ours;
	struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	loop_signal_set(&ours);
	int number = sigtimedwait(&ours, NULL, &wait);
	return number == SIGTERM || number == SIGINT;
}

/* Returns an exit status, or EX_OK with *ret set. */
static int start(const char *file, struct loop **ret, struct cluster **cluster)
{
	static const struct backoff pauses = {.min_ms = PAUSE_MIN_MS, .max_ms = PAUSE_MAX_MS};
	*ret = NULL;
	unsigned failures = 0;
	for (bool first = true;; first = false) {
		struct attempt attempt = try_to_start(file, first, cluster);
		*ret = attempt.loop;
		if (attempt.loop || attempt.configuration)
			return attempt.err.code;
		*cluster = cluster_free(*cluster);
		if (attempt.stopped) {
			log_write(LOG_NOTICE, "stopped");
			return EX_OK;
		}
		if (attempt.again) {
			failures = 0;
			continue;
		}
		if (!attempt.passing) {
			log_write(LOG_CRIT | MESSAGE_NOT_STARTED, "not started: %s",
			          attempt.err.text);
			if (notify_wanted()) {
				notify_waiting(attempt.err.text, LAST_PAUSE_MS);
				(void)pause_start(LAST_PAUSE_MS);
			}
			return attempt.err.code;
		}
		int64_t pause_ms = backoff_ms(pauses, ++failures, arc4random());
		log_state(LOG_WARNING | MESSAGE_NOT_STARTED, attempt.err.text,
		          "not started yet, next try in_s=%.1f: %s", (double)pause_ms / 1000,
		          attempt.err.text);
		notify_waiting(attempt.err.text, pause_ms);
		if (pause_start(pause_ms)) {
			log_write(LOG_NOTICE, "stopped before it could start");
			return EX_OK;
		}
	}
}

/* Until the end, or until the cluster's lease is lost. */
static int run_once(const char *file)
{
	struct cluster *cluster = NULL;
	struct error why = {0};
	struct loop *loop;
	int code = start(file, &loop, &cluster);
	if (!loop)
		return code;
	code = loop_run(loop);
	if (code == LOOP_LEASE_LOST && cluster_is_lost(cluster, &why))
		log_fault(LOG_ERR,
		          "the cluster's lease was lost, this machine becomes a standby: %s",
		          why.text);
	loop_free(loop);
	cluster_free(cluster);
	return code;
}

int start_and_run(const char *file)
{
	int code;
	log_start();
	do {
		loop_hold_signals();
		code = run_once(file);
	} while (code == LOOP_LEASE_LOST);
	return code;
}
