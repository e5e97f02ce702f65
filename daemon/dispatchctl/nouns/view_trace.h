/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_VIEW_TRACE_H
#define DISPATCHCTL_NOUNS_VIEW_TRACE_H

#include "dispatchctl/base/ctl.h"

/* The rules in the order in which they were asked: a mark, the rule, what it saw. */
void view_trace(struct ctl *ctl, const json_t *trace);

#endif
