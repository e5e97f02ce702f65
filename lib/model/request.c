/* SPDX-License-Identifier: MIT */
#include "model/request.h"

#include "base/utf8.h"

#include <string.h>

static const char *const verbs[REQUEST_COUNT] = {
        [REQUEST_NONE] = "",
        [REQUEST_STATUS] = "status",
        [REQUEST_RELOAD] = "reload",
        [REQUEST_RELAY_TEST] = "relay.test",
        [REQUEST_TEMPLATE_SEND] = "template.send",
        [REQUEST_MAIL_RETRY] = "mail.retry",
        [REQUEST_MAIL_CANCEL] = "mail.cancel",
        [REQUEST_MAIL_PAUSE] = "mail.pause",
        [REQUEST_MAIL_RESUME] = "mail.resume",
        [REQUEST_BREAKER_RELEASE] = "breaker.release",
        [REQUEST_BREAKER_DISCARD] = "breaker.discard",
        [REQUEST_DEAD_RETRY] = "dead.retry",
        [REQUEST_HOLD_RELEASE] = "hold.release",
        [REQUEST_HOLD_CANCEL] = "hold.cancel",
        [REQUEST_GATE] = "gate",
        [REQUEST_NUMBERS] = "numbers",
        [REQUEST_CUSTOMERS_ADOPT] = "customers.adopt",
        [REQUEST_OPT_OUT_SHOW] = "opt_out.show",
        [REQUEST_OPT_OUT_SET] = "opt_out.set",
        [REQUEST_BOUNCE_TAKE] = "bounce.take",
        [REQUEST_BOUNCE_REPORT] = "bounce.report",
        [REQUEST_BOUNCE_FORWARD] = "bounce.forward",
};

const char *control_request_verb(enum control_request request)
{
	return verbs[request];
}

enum control_request control_request_find(const json_t *document)
{
	const char *verb = json_string_value(json_object_get(document, "do"));
	for (int i = REQUEST_NONE + 1; verb != NULL && i < REQUEST_COUNT; i++)
		if (strcmp(verb, verbs[i]) == 0)
			return (enum control_request)i;
	return REQUEST_NONE;
}

json_t *control_fault(const struct error *err)
{
	char shown[4 * sizeof err->text];
	return json_pack("{s:b, s:i, s:s}", "ok", 0, "code", err->code, "error",
	                 utf8_show(err->text, shown, sizeof shown));
}
