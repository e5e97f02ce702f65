/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_LOOP_RELOAD_H
#define DISPATCHD_LOOP_RELOAD_H

#include "mail/templates.h"
#include "model/settings.h"

#include <stdbool.h>

/*
 * Rereads configuration and templates, on a short-lived thread, since the loop touches no disk.
 * Either all of it is sound or nothing is changed: every fault is logged.
 */
struct event_base;
struct reload;

/* From the loop, when it is read: `settings` and `templates` are the receiver's, or both NULL where
 * there was a fault. `faults`: a line each, "" for none; good for the duration of the call. */
typedef void reload_done(void *arg, struct settings *settings, struct templates *templates,
                         const char *faults);

/* The mailers are given the new ones first, since that reads files, too. NULL (and a line in the
 * log) where no thread could be started. */
struct pool;
struct reload *reload_start(struct event_base *base, const char *file, struct pool *pool,
                            reload_done *done, void *arg);
/* Waits for the thread: for the daemon's end, while it is still under way. Takes NULL; returns
 * NULL. */
struct reload *reload_free(struct reload *reload);

/*
 * The same at once, for the start. All faults go to `fault`. Returns an exit status, 0 with both
 * set. Unless `strict`, broken templates are not a reason to fail: a mail falls back to the
 * built-in one.
 */
int reload_read(const char *file, bool strict, settings_fault *fault, void *arg,
                struct settings **ret_settings, struct templates **ret_templates);

/* Whether a reload would be sound, for who begins again with it. Faults are logged, and added to
 * `ret_faults`, a line each. Reads files at once. */
struct buf;
bool reload_is_sound(const char *file, struct buf *ret_faults);

#endif
