/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_READ_ALL_H
#define BOUNCE_READ_ALL_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads to the end. Of what is longer than `max` one byte more is kept, so that it shows and
 * each reading gives the same bytes. The rest is read and dropped, so that nobody's pipe breaks.
 * False with errno. */
bool read_all(int fd, size_t max, struct buf *buf) MUST_CHECK;

#endif
