/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REPORT_REPORT_SOCKET_H
#define DISPATCHD_REPORT_REPORT_SOCKET_H

#include "base/error.h"
#include "dispatchd/engine/engine_thread.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The socket for reports, `report.sock` beside spool.db, mode 0660 with [bounce] group: where
 * dispatch-bounce hands over what came back, and nothing else is understood. One JSON object a line
 * in (report_request.h), one out, once it is on disk:
 *
 *   {"ok": true, "took": "marked"}       it is taken; the engine's words (engine/bounce.h)
 *   {"ok": true, "took": …, "send": true} now come the `reply.bytes` bytes, then a second answer
 *   {"ok": false, "error": …, "code": 67} another domain's; 65: not understood; 75: not now
 *
 * There is none without [bounce] address.
 */
enum {
	REPORT_CLIENTS_MAX = 8,
	REPORT_LINE_MAX = 64 * 1024,
	REPORT_IDLE_S = 60, /* a client that neither sends nor waits for an answer */
	REPORT_BYTES_MAX = 20 * 1024 * 1024, /* of replies, of all clients together */
};

struct event_base;
struct report_socket;
struct daemon_view;

/* `view` must outlive it. As the settings in the view say, there may be no socket for now. */
struct report_socket *report_socket_new(struct event_base *base, const char *spool_path,
                                        const struct daemon_view *view,
                                        struct error *err) MUST_CHECK;
/* Removes the socket. Takes NULL; returns NULL. */
struct report_socket *report_socket_free(struct report_socket *socket);

/* The view has new settings: opens or closes it. A fault goes to the log. */
void report_socket_reload(struct report_socket *socket);

/* The engine's answer to command `number`. The client may have gone. */
void report_socket_reply(struct report_socket *socket, int64_t number, const char *text);

#endif
