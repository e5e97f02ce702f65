/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_SENT_H
#define CENTER_PAGES_SENT_H

#include "center/entry/call.h"

#include <jansson.h>

/* A mail as it was sent, for its page: `sent` with text, html (whether there is one), source and
 * cut (the source is longer than what is shown), or `lack`, why there is nothing; `differs`. */
void sent_add(struct call *call, json_t *mail);

#endif
