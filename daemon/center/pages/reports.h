/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_REPORTS_H
#define CENTER_PAGES_REPORTS_H

#include "center/entry/call.h"

#include <jansson.h>

/* Reports about mails for the partial `reports`: each what it says, what it did, when, of which
 * address, in which words. The caller's; empty for NULL. */
json_t *reports_of(const struct call *call, const json_t *reports);

#endif
