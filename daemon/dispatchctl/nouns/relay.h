/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_RELAY_H
#define DISPATCHCTL_NOUNS_RELAY_H

#include "dispatchctl/base/ctl.h"

/* A relay that the daemon has tried, as it answers that, with each step. */
void relay_print(struct ctl *ctl, const json_t *relay);

#endif
