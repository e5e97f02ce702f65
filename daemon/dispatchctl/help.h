/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_HELP_H
#define DISPATCHCTL_HELP_H

#include "dispatchctl/base/ctl.h"

/* The help of the level that `ctl` has reached: the program's, a noun's, or a command's. */
void help_print(const struct ctl *ctl);

/* Every command on a line of its own, with tabs between words, arguments, options and sentence; for
 * completion and for the check that the manual names all. */
void help_list_commands(const struct ctl *ctl);

/* The same as the manual's section, in mdoc(7). */
void help_print_manual(const struct ctl *ctl);

#endif
