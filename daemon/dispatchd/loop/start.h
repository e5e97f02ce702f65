/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_LOOP_START_H
#define DISPATCHD_LOOP_START_H

/*
 * Runs the daemon with the configuration in `file` until it is stopped. Returns an exit status
 * (sysexits.h).
 *
 * What passes by itself (a port in use, another daemon's lock, a full disk) is waited for, longer
 * each time from 1 s to 1 min, and systemd is kept informed. Faults of the configuration end it at
 * once. A damaged database or missing permission needs a person: it ends, too, but under systemd,
 * which starts it again, only after a pause, so that the log stays readable.
 */
int start_and_run(const char *file);

#endif
