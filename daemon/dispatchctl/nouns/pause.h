/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_PAUSE_H
#define DISPATCHCTL_NOUNS_PAUSE_H

#include "dispatchctl/base/ctl.h"

/* Prints that sending is paused, since when, by whom and why, and how many mails wait for its end;
 * nothing where it isn't. `pause` as of spool/spool_pause.h; NULL counts as null. */
void pause_print(struct ctl *ctl, const json_t *pause);

#endif
