/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BASE_OFFICE_H
#define DISPATCHCTL_BASE_OFFICE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

struct settings;

/*
 * Run by root, dispatchctl does the office's work as the user whose folder the database lies in,
 * the daemon's: others may write there, and nothing that they put there shall be done with root's
 * power. `uses` is what a command needs of the configuration: with the spool among it the spool's
 * folder counts, else that of customers.db. For the rest of the run; see base/identity.h. Nothing
 * happens where neither is needed or there.
 */
bool office_become(const struct settings *settings, const char *uses, struct error *err) MUST_CHECK;

/* fopen() of what the person names, as the person. */
FILE *office_open_given(const char *path, const char *mode);

#endif
