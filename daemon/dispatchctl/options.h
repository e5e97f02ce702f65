/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_OPTIONS_H
#define DISPATCHCTL_OPTIONS_H

#include "dispatchctl/base/ctl.h"

/*
 * Reads the command line into `ctl`: noun and command, arguments, options. Options of dispatchctl
 * itself may be anywhere, those of a command after its noun and verb; `--` ends the options. On
 * failure `err` suggests the nearest known word; `ctl` then holds what was read so far, so that
 * `--help` can answer at the level reached.
 */
bool options_read(struct ctl *ctl, int argc, char **argv, struct error *err) MUST_CHECK;

#endif
