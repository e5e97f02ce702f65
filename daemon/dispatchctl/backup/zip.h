/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BACKUP_ZIP_H
#define DISPATCHCTL_BACKUP_ZIP_H

#include "base/error.h"
#include "base/instant.h"

#include <stdbool.h>
#include <stddef.h>

/* A zip file that is written to a descriptor, file by file, by libarchive. */
struct archive;

/* NULL on a fault (code 74). `fd` stays the caller's. */
struct archive *zip_begin(int fd, struct error *err) MUST_CHECK;
/* A file of that name, `/` between steps, private when it is unpacked. */
bool zip_add(struct archive *archive, const char *name, const void *bytes, size_t len,
             struct instant when, struct error *err) MUST_CHECK;
/* Ends it in any case; false where it isn't whole. `good` false: what is there is given up. */
bool zip_end(struct archive *archive, bool good, struct error *err) MUST_CHECK;

#endif
