/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BASE_OFFICE_H
#define DISPATCHCTL_BASE_OFFICE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

struct settings;

/*
 * Run by root, dispatchctl does the office's work as the owner of the database's folder, the
 * daemon's user: others may write there, and root must not act on what they put there. `uses` is
 * what a command needs from the configuration: if that includes the spool, the spool's folder
 * counts, else that of customers.db. For the rest of the run; see base/identity.h. Nothing happens
 * if neither is needed or neither exists.
 */
bool office_become(const struct settings *settings, const char *uses, struct error *err) MUST_CHECK;

/* fopen() of what the person names, as the person. */
FILE *office_open_given(const char *path, const char *mode);

#endif
