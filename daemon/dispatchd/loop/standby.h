/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_LOOP_STANDBY_H
#define DISPATCHD_LOOP_STANDBY_H

#include "base/error.h"
#include "model/settings.h"

/*
 * A standby's loop: the same sockets as the owner's, which say who that is; signals; the follower's
 * thread behind it (cluster/follower.h).
 */
struct cluster;

enum standby_end {
	STANDBY_OWNS,    /* this machine is the owner now */
	STANDBY_STOPPED, /* by SIGTERM or SIGINT */
	STANDBY_RELOAD,  /* by SIGHUP: the configuration is to be read again */
	STANDBY_FAILED,  /* `err` says why: it can't be a member, or a socket can't be had */
};

/* Follows until one of these. */
enum standby_end standby_run(const struct settings *settings, struct cluster *cluster,
                             struct error *err) MUST_CHECK;

#endif
