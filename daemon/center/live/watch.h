/* SPDX-License-Identifier: MIT */
#ifndef CENTER_LIVE_WATCH_H
#define CENTER_LIVE_WATCH_H

#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/* Sees that somebody has written to customers.db or spool.db, and what it was about. For one
 * thread. */
enum live_topic { LIVE_CUSTOMER, LIVE_HOLDS, LIVE_MAILS };

struct live_event {
	enum live_topic topic;
	int64_t customer; /* its id; 0: anybody's */
	int64_t version;  /* of its own record; -1: not known */
};
typedef void live_event_fn(void *arg, const struct live_event *event);

struct watcher;
struct watcher *watcher_new(const struct settings *settings, live_event_fn *event, void *arg);
/* True where there was any event. A database that can't be read is tried again the next time. */
bool watcher_look(struct watcher *watcher);
struct watcher *watcher_free(struct watcher *watcher); /* takes NULL; returns NULL */

#endif
