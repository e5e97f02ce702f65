/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CONTROL_CONTROL_H
#define DISPATCHD_CONTROL_CONTROL_H

#include "base/error.h"
#include "dispatchd/engine/engine_thread.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * The control socket, `control.sock` beside spool.db: one JSON object a line in, one line out, mode
 * 0660 with the group of the directory. A request goes to the engine as it came, but for "by",
 * whose name is checked (control/asker.h).
 */
enum {
	CONTROL_CLIENTS_MAX = 32,
	CONTROL_LINE_MAX = 64 * 1024,
	CONTROL_IDLE_S = 60, /* a client that neither asks nor waits for an answer */
};

struct event_base;
struct control;
struct daemon_view;
struct outgoing_mail;
struct relay_test;

/* What the loop does for it. */
struct control_calls {
	void (*reload)(void *arg); /* asks for one; control_reloaded() brings the answer */
	/* Begins a test of the relays as pool_test_start() does; control_tested() brings the
	 * answer. */
	bool (*test)(void *arg, const char *to, struct outgoing_mail *mail, struct error *err);
	void *arg;
};

/* `spool_path` is the database's; `view` must outlive the control socket. The engine holds its
 * lock, so a socket found there is a dead daemon's. */
struct control *control_new(struct event_base *base, const char *spool_path,
                            const struct daemon_view *view, const struct control_calls *calls,
                            struct error *err) MUST_CHECK;
/* Removes the socket. Takes NULL; returns NULL. */
struct control *control_free(struct control *control);

/* The engine's reply to request `number`. The client may have gone. */
void control_reply(struct control *control, int64_t number, const char *text);

/* Whoever waits for an answer gets this fault, and so does who asks from now on. */
void control_refuse(struct control *control, const struct error *why);

/* A reload begins to read the files: those who requested {"do": "reload"} so far are answered at
 * its end. */
void control_reload_begins(struct control *control);
/* It has ended. `faults`: a line each; "" where the new configuration is in force. */
void control_reloaded(struct control *control, const char *faults);

/* A test of the relays has ended. */
void control_tested(struct control *control, const struct relay_test *test);

#endif
