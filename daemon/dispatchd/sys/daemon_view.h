/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_SYS_DAEMON_VIEW_H
#define DISPATCHD_SYS_DAEMON_VIEW_H

#include "base/instant.h"

#include <stdbool.h>

struct cluster;
struct engine_thread;
struct pool;
struct redis_client;
struct settings;

/*
 * The daemon's parts and state as the ways in from outside (HTTP, the control socket) see it. The
 * loop owns the view and keeps it current; it stays in place for as long as the loop. Only the
 * loop's thread may read it. All parts are there once the first request comes, but for what is said
 * below.
 */
struct daemon_view {
	const struct settings *settings; /* those in force */
	struct cluster *cluster;         /* NULL: none */
	/* A standby has none of these three. */
	struct engine_thread *engine;
	struct pool *pool;
	struct redis_client *redis;
	struct instant started;
	bool stopping; /* the way to the end has begun */
};

#endif
