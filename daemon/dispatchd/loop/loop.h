/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_LOOP_LOOP_H
#define DISPATCHD_LOOP_LOOP_H

#include "base/error.h"
#include "base/instant.h"
#include "mail/templates.h"
#include "model/settings.h"

#include <signal.h>
#include <stdbool.h>

/*
 * The daemon's loop: Redis, HTTP, control socket, signals, timers. It starts the engine's thread
 * and the mailers, carries messages between them and the outside, and ends them in order. It
 * touches no disk once it runs and never waits.
 */
enum {
	LOOP_TICK_MS = 1000,   /* the longest sleep */
	LOOP_GRACE_MS = 20000, /* for mails in flight when stopping */
	LOOP_FLUSH_MS = 2000,  /* for their outcomes after that */
};

struct cluster; /* dispatchd/cluster/cluster.h */
struct loop;

/* Instead of an exit status: another member owns the cluster, or may soon. */
enum { LOOP_LEASE_LOST = -1 };

/* From the program's first moments: SIGTERM, SIGINT and SIGHUP wait until the loop can take them.
 * Threads that are started meanwhile never get any. */
void loop_hold_signals(void);
/* These three, for sigtimedwait(). */
void loop_signal_set(sigset_t *ret);

/* Takes settings and templates over, also on failure. Starts everything: databases, mailers,
 * sockets. `cluster` is borrowed and owned by this machine; NULL: none. */
struct loop *loop_new(struct settings *settings, struct templates *templates,
                      struct cluster *cluster, struct error *err) MUST_CHECK;

/* Until a signal asks for the end; returns the exit status, or LOOP_LEASE_LOST. */
int loop_run(struct loop *loop);
struct loop *loop_free(struct loop *loop); /* takes NULL; returns NULL */

#endif
