/* SPDX-License-Identifier: MIT */
#ifndef CENTER_OWNER_H
#define CENTER_OWNER_H

#include "base/error.h"
#include "model/settings.h"

#include <stdbool.h>

/*
 * Run by root, for the commands and for -t: as the user to whom center.db belongs, or will, from
 * now on (base/identity.h), so that the center can use what is made, and what it can't use is a
 * fault.
 */
bool owner_become(const struct settings *settings, struct error *err) MUST_CHECK;

#endif
