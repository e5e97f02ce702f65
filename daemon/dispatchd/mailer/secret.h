/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_SECRET_H
#define DISPATCHD_MAILER_SECRET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* libesmtp's PLAIN puts user and password into 513 bytes without asking: 255 each is what fits. */
enum { SECRET_MAX = 255 };

/*
 * Reads a password: from `file`, or where that is empty from the systemd credential of that name.
 * It is the first line of what base/secret_file.h reads; one that is empty, longer than SECRET_MAX
 * or has a control character in it is refused, too. Stores "" and returns true where neither file
 * nor credential is there.
 */
bool secret_read(const char *file, const char *credential, char ret[SECRET_MAX + 1],
                 struct error *err) MUST_CHECK;

void secret_wipe(char *secret, size_t size); /* overwrites, whatever the compiler thinks of it */

#endif
