/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_BACKUP_TAR_H
#define DISPATCHCTL_BACKUP_TAR_H

#include "base/error.h"
#include "dispatchctl/backup/set.h"

#include <stdbool.h>

/* A backup as a stream: a tar (pax) of its files, the manifest last, so that one that was cut off
 * has none. */
bool backup_tar_write(const struct backup_set *set, int fd, struct error *err) MUST_CHECK;
/* Unpacks one into `set`, a new folder: regular files with names of a backup, nothing else. Codes
 * 65, 74. */
bool backup_tar_read(int fd, const struct backup_set *set, struct error *err) MUST_CHECK;

#endif
