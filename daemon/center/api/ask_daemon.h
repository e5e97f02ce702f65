/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_ASK_DAEMON_H
#define CENTER_API_ASK_DAEMON_H

#include "center/entry/call.h"
#include "model/request.h"

#include <jansson.h>

/*
 * What changes the spool is asked of the daemon, by its control socket, in the name of whoever is
 * logged in. Takes over `values`, the request without `do` and `by`; *ret (may be NULL) is the
 * answer, the caller's. Codes are the daemon's; 69 where it can't be reached.
 */
bool ask_daemon(struct call *call, enum control_request what, json_t *values, json_t **ret,
                struct error *err) MUST_CHECK;

/* After a change of a customer's number: moves its jobs now. If that fails, the engine does it as
 * soon as it runs. */
void ask_to_follow_numbers(struct call *call);

#endif
