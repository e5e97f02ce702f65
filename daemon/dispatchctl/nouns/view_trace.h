/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_VIEW_TRACE_H
#define DISPATCHCTL_NOUNS_VIEW_TRACE_H

#include "dispatchctl/base/ctl.h"

/* The rules in their order: a mark, the rule, what it found. */
void view_trace(struct ctl *ctl, const json_t *trace);

#endif
