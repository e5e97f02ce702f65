/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_PAUSE_H
#define CENTER_PAGES_PAUSE_H

#include "center/entry/call.h"
#include "spool/spool.h"

#include <jansson.h>

/* For {{> paused}}: adds `paused` where sending is: {when, by, note, waits}, else `may_pause` for
 * who may pause it; `breaker` {when, limit, held} where mails
 * are held back, `redirected` where every mail is. A spool that can't be read (or NULL) adds
 * nothing. */
void pause_add(const struct call *call, struct spool *spool, json_t *data);

#endif
