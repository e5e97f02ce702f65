/* SPDX-License-Identifier: MIT */
#ifndef CENTER_USER_COMMAND_H
#define CENTER_USER_COMMAND_H

#include "model/settings.h"

/*
 * `dispatch-center user …`: accounts by hand. `argv` begins behind `user`. An exit status of
 * sysexits.h; what went wrong is on standard error.
 */
int user_command(const struct settings *settings, int argc, char **argv);

#endif
