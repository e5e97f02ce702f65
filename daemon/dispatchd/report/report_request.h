/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_REPORT_REPORT_REQUEST_H
#define DISPATCHD_REPORT_REPORT_REQUEST_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct settings;

/* What a line on the socket for reports asks for. */
struct report_request {
	char *command; /* the engine's: {"do": "bounce.take", …}; NULL: only whether the recipient
	                  is ours is asked */
	size_t bytes;  /* of the reply that may follow; 0: none is offered */
};

/*
 * {"recipient", "sender", "facts", "reply"} of one line; without "facts" it asks whether mails for
 * this recipient are taken. Nothing else of it reaches the engine. The caller frees `command`.
 * Codes: 65 for what isn't such an object, 67 for a recipient of another domain than that of
 * [bounce] address, 69 where there is no such address.
 */
bool report_request_read(const struct settings *settings, const char *line, size_t len,
                         struct report_request *ret, struct error *err) MUST_CHECK;

/* The same command once more, with the bytes that were asked for: "bounce.forward". The
 * caller's. */
char *report_request_forward(const char *command);

/* Whether the engine's answer asks for the reply. */
bool report_request_wanted(const char *answer);

#endif
