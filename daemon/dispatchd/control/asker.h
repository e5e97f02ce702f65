/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_CONTROL_ASKER_H
#define DISPATCHD_CONTROL_ASKER_H

#include "base/error.h"
#include "model/settings.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Whose name a request on the control socket bears (`by`): it ends up in notes and in the log. The
 * kernel says which user asks; that one's login is set where the request names nobody. Another's
 * name is believed from root, from the daemon's own user, from [center] user, which speaks for
 * whoever is logged in there, and from those whom [office] managers names. Code 77 else.
 */
bool asker_set(const struct settings *settings, uid_t uid, json_t *request,
               struct error *err) MUST_CHECK;

#endif
