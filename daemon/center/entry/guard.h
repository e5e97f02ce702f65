/* SPDX-License-Identifier: MIT */
#ifndef CENTER_ENTRY_GUARD_H
#define CENTER_ENTRY_GUARD_H

#include "center/entry/route.h"

/*
 * Who has access, and to what: Host, origin, account, the route and its role, in this order;
 * nothing of a request is acted on before. False where the response is the answer already.
 */
bool guard_admit(struct call *call, int64_t *ret_body_max) MUST_CHECK;

/* What can be checked only once the body is there: the token of a form. */
bool guard_form(struct call *call) MUST_CHECK;

/* Whether passwords may come this way: over TLS, or from this machine. */
bool guard_private(const struct call *call);
/* Whether the browser comes over TLS, ours or a proxy's. */
bool guard_secure(const struct call *call);

#endif
