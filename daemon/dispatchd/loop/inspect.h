/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_LOOP_INSPECT_H
#define DISPATCHD_LOOP_INSPECT_H

#include "model/settings.h"

/*
 * Looks at what the configuration names, without starting anything. Each fault is reported with the
 * line of the key that leads to it.
 */

/* Passwords and certificates. Returns an exit status. Logs a warning of passwords that everybody
 * may read. */
int inspect_files(const struct settings *settings, settings_fault *fault, void *arg);
/* Logs a warning of each certificate of ours that isn't in force: no reason not to start. */
void inspect_dates(const struct settings *settings);

/*
 * For `dispatchd -t` by root: from now on as the owner of the spool's folder, as whom the service
 * runs, so that what that user can't read or write is found. Stays what it is where there is no
 * such folder yet.
 */
bool inspect_become(const char *file, struct error *err) MUST_CHECK;

/* For `dispatchd -t`: the configuration, those files, the templates, both databases. Goes on after
 * each fault; the status is that of the first. */
int inspect_all(const char *file, settings_fault *fault, void *arg);

#endif
