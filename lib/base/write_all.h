/* SPDX-License-Identifier: MIT */
#ifndef BASE_WRITE_ALL_H
#define BASE_WRITE_ALL_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* All of the bytes into a file or a pipe, however many calls it takes. On a fault false, with
 * errno. */
bool write_all(int fd, const void *bytes, size_t len) MUST_CHECK;

#endif
