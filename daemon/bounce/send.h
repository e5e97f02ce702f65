/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_SEND_H
#define BOUNCE_SEND_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * The client of the daemon's socket for reports: one JSON object a line there, one back. Each call
 * connects again, so that a daemon which was restarted meanwhile is found.
 *
 * A fault has code 67 where the daemon takes nothing for that recipient, 65 where it refused this
 * mail (it said 65 or 70), and 75 in any other case: it can't be reached, doesn't answer in time,
 * or has said that it couldn't.
 */
enum {
	SEND_LINE_MAX = 64 * 1024, /* of a line either way, with its end */
	SEND_ANSWER_MAX = 40,
};

/* Whether mails for this recipient, which is UTF-8, are the daemon's. */
bool send_ask(const char *socket, const char *recipient, struct error *err) MUST_CHECK;

/*
 * Hands over one mail. `reply` is what the daemon gets if it asks for it, NULL for nothing. True
 * once the daemon has it on disk; `ret_did` is then its word for what it did: "marked", "unknown".
 */
bool send_report(const char *socket, const json_t *line, const struct buf *reply,
                 char ret_did[SEND_ANSWER_MAX], struct error *err) MUST_CHECK;

#endif
