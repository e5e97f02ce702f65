/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_SHOW_H
#define BOUNCE_SHOW_H

#include <stdbool.h>

/*
 * Prints what the mail in `file` ("-": standard input) says, as one JSON object; with `facts` also
 * what led there. Needs no configuration and no daemon, and changes nothing. Returns an exit
 * status: 0, 65 for what isn't a mail, 66, 74.
 */
int show_file(const char *file, bool facts);

#endif
