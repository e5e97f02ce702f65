/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_INSPECT_H
#define DAEMON_INSPECT_H

#include "model/settings.h"

/*
 * Looks at what the configuration names, without starting anything. Each fault is told with the line of
 * the key that leads to it.
 */

/* Passwords and certificates. Returns an exit status. Logs a warning of passwords that everybody may read. */
int inspect_files(const struct settings *settings, settings_fault *fault, void *arg);

/* For `dispatchd -t`: the configuration, those files, the templates, both databases. Goes on after each
 * fault; the status is that of the first. */
int inspect_all(const char *file, settings_fault *fault, void *arg);

#endif
