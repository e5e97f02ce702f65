/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_NOTIFY_H
#define DISPATCHD_SYS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Notifications to systemd (sd_notify(3)); they do nothing where it didn't start us. None waits. */
void notify_ready(const char *status);
/* The start is tried again in `ms`, so that systemd's limit for the start has to wait longer.
 * `why`: one line. */
void notify_waiting(const char *why, int64_t ms);
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);

/* Whether anybody listens: systemd, or a substitute. */
bool notify_wanted(void);

/* Sends again what did not fit into the receiver's queue; to be called now and then. */
void notify_again(void);

/* How often the watchdog expects a ping: half its patience; 0 where there is none. Milliseconds. */
int64_t notify_watchdog_ms(void);

#endif
