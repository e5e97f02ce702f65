/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_OPTIONS_H
#define DISPATCHCTL_OPTIONS_H

#include "dispatchctl/base/ctl.h"

/*
 * Reads the command line into `ctl`: noun and command, arguments, options. Options of dispatchctl
 * itself may stand anywhere, those of a command behind its words; `--` ends them. On failure `err`
 * names the nearest known; what was understood so far is in `ctl` all the same, so that `--help`
 * can answer at the level that was reached.
 */
bool options_read(struct ctl *ctl, int argc, char **argv, struct error *err) MUST_CHECK;

#endif
