/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_COMPLETE_H
#define DISPATCHCTL_COMPLETE_H

#include "dispatchctl/base/ctl.h"

/*
 * Prints what the last of `words` may become, one candidate a line: the words behind "dispatchctl"
 * as the shell has them so far. `:files` and `:directories` leave it to the shell. Never reports a
 * fault: pressing Tab should print no messages.
 */
void complete(struct ctl *ctl, int n, char **words);

#endif
