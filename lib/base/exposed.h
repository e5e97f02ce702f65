/* SPDX-License-Identifier: MIT */
#ifndef BASE_EXPOSED_H
#define BASE_EXPOSED_H

#include "base/error.h"

#include <stdbool.h>

/*
 * Whether any user of this host can really read the file: it is a regular one, its mode lets others
 * read it, and so does each folder above it let them through, links resolved. What lies in
 * /run/secrets or in $CREDENTIALS_DIRECTORY is where containers and systemd keep secrets, and is
 * not. Nor is a file that isn't there.
 */
bool exposed_file(const char *path);

/* What mends it, as one would type it: "chmod o= 'a b'". free() it. */
char *exposed_remedy(const char *path);

/* A fault (EX_CONFIG) that names file and remedy where it is exposed; `what` is what is in it:
 * "password". */
bool exposed_check(const char *path, const char *what, struct error *err) MUST_CHECK;

#endif
