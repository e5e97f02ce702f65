/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_PANEL_H
#define CENTER_PAGES_PANEL_H

#include "center/entry/call.h"

#include <stdbool.h>

/* Whether this user has hidden the side panel of customers' pages, in this browser. */
bool panel_hidden(const struct call *call);
/* POST /panel: hides it or shows it again, and goes back to `next`. */
void panel_toggle(struct call *call);
/* Where a form says that one came from or goes to: a path of ours, never another site's; else
 * `other`. */
const char *next_of(const struct request_pairs *pairs, const char *other);

#endif
