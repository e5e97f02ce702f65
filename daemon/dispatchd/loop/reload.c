/* SPDX-License-Identifier: MIT */
/*
 * The thread that reads configuration and templates for a reload, since the loop touches no disk.
 * The loop gets the result when all of it is sound; else the faults are logged and nothing changes.
 */
#include "dispatchd/loop/reload.h"

#include "base/buf.h"
#include "base/mem.h"
#include "dispatchd/loop/inspect.h"
#include "dispatchd/mailer/pool.h"
#include "dispatchd/sys/log.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct reload {
	pthread_t thread;
	struct event *ready;
	const char *file;
	struct pool *pool;
	reload_done *done;
	void *arg;
	struct settings *settings;
	struct templates *templates;
	struct buf faults; /* a line each */
};

int reload_read(const char *file, bool strict, settings_fault *fault, void *arg,
                struct settings **ret_settings, struct templates **ret_templates)
{
	int code = 0, broken = 0;
	struct settings *settings = settings_load(file, NULL, fault, arg, &code);
	if (!settings)
		return code;
	code = inspect_files(settings, fault, arg);
	struct templates *templates = templates_load_set(settings, fault, arg, &broken);
	if (broken && strict && !code)
		code = EX_CONFIG;
	if (!code) {
		*ret_settings = settings;
		*ret_templates = templates;
		return 0;
	}
	templates_unref(templates);
	settings_free(settings);
	return code;
}

static void take_fault(void *arg, const char *text)
{
	struct buf *faults = arg;
	log_write(LOG_ERR, "reload: %s", text);
	buf_printf(faults, "%s\n", text);
}

bool reload_is_sound(const char *file, struct buf *ret_faults)
{
	struct settings *settings;
	struct templates *templates;
	if (reload_read(file, true, take_fault, ret_faults, &settings, &templates) != EX_OK)
		return false;
	templates_unref(templates);
	settings_free(settings);
	return true;
}

static void *reload_thread(void *arg)
{
	struct reload *reload = arg;
	struct error err;
	int code = reload_read(reload->file, true, take_fault, &reload->faults, &reload->settings,
	                       &reload->templates);
	if (code == EX_OK &&
	    !pool_reload(reload->pool, reload->settings, reload->templates, &err)) {
		take_fault(&reload->faults, err.text);
		reload->templates = templates_unref(reload->templates);
		reload->settings = settings_free(reload->settings);
	}
	if (reload->settings)
		inspect_dates(reload->settings);
	event_active(reload->ready, EV_READ, 0);
	return NULL;
}

static void reload_on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	(void)fd;
	(void)what;
	reload_done *done = reload->done;
	void *done_arg = reload->arg;
	struct settings *settings = reload->settings;
	struct templates *templates = reload->templates;
	reload->settings = NULL;
	struct buf faults = reload->faults;
	reload->templates = NULL;
	reload->faults = (struct buf){0};
	reload_free(reload); /* the thread is at its end: this join doesn't wait */
	done(done_arg, settings, templates, buf_text(&faults));
	buf_free(&faults);
}

struct reload *reload_start(struct event_base *base, const char *file, struct pool *pool,
                            reload_done *done, void *arg)
{
	struct reload *reload = mem_alloc(sizeof(*reload));
	*reload = (struct reload){.file = file, .pool = pool, .done = done, .arg = arg};
	reload->ready = event_new(base, -1, 0, reload_on_ready, reload);
	int rc = pthread_create(&reload->thread, NULL, reload_thread, reload);
	if (!rc)
		return reload;
	log_write(LOG_ERR, "reload: can't start a thread: %s", strerror(rc));
	event_free(reload->ready);
	free(reload);
	return NULL;
}

struct reload *reload_free(struct reload *reload)
{
	if (!reload)
		return NULL;
	pthread_join(reload->thread, NULL);
	event_free(reload->ready);
	templates_unref(reload->templates);
	settings_free(reload->settings);
	buf_free(&reload->faults);
	free(reload);
	return NULL;
}
