/* SPDX-License-Identifier: MIT */
#ifndef CTL_VIEW_TRACE_H
#define CTL_VIEW_TRACE_H

#include "ctl/ctl.h"

/* The rules in the order in which they were asked: a mark, the rule, what it saw. */
void view_trace(struct ctl *ctl, const json_t *trace);

#endif
