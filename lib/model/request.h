/* SPDX-License-Identifier: MIT */
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include "base/error.h"

#include <jansson.h>

/*
 * What the daemon can be asked on its control socket: {"do": VERB, …}. Both ends take the verbs
 * from here: dispatchctl to ask, the control socket and the engine to answer.
 */
enum control_request {
	REQUEST_NONE, /* no verb, or an unknown one */
	REQUEST_STATUS,
	REQUEST_RELOAD, /* this and the next two are answered by the loop, others by the engine */
	REQUEST_RELAY_TEST,
	REQUEST_TEMPLATE_SEND, /* as a test of the relays */
	REQUEST_MAIL_RETRY,
	REQUEST_MAIL_CANCEL,
	REQUEST_MAIL_PAUSE,
	REQUEST_MAIL_RESUME,
	REQUEST_BREAKER_RELEASE,
	REQUEST_BREAKER_DISCARD,
	REQUEST_DEAD_RETRY,
	REQUEST_HOLD_RELEASE,
	REQUEST_HOLD_CANCEL,
	REQUEST_GATE,
	REQUEST_NUMBERS,
	REQUEST_CUSTOMERS_ADOPT,
	REQUEST_OPT_OUT_SHOW,
	REQUEST_OPT_OUT_SET,
	REQUEST_BOUNCE_TAKE,
	REQUEST_BOUNCE_REPORT,
	REQUEST_BOUNCE_FORWARD, /* comes with bytes, and from the socket for reports alone */
	REQUEST_COUNT,
};

enum { REQUEST_IDS_MAX = 500 }; /* of mails in one request (`ids`) */

const char *control_request_verb(enum control_request request);    /* "mail.retry" */
enum control_request control_request_find(const json_t *document); /* by its "do"; takes NULL */

/* The answer that it failed: {"ok": false, "code", "error"}. What the text quotes may come from
 * anywhere: control characters and bytes that aren't UTF-8 are escaped. The caller's. */
json_t *control_fault(const struct error *err);

#endif
