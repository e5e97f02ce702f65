/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_FILE_H
#define TEMPLATE_FILE_H

#include "base/buf.h"
#include "base/error.h"

/* Adds the bytes of a file of at most 1 MiB. Codes 66 (missing), 74 (unreadable), 65 (too long). */
bool template_read_bytes(const char *path, struct buf *ret, struct error *err) MUST_CHECK;

/* The same for a file that must be valid UTF-8 as a whole; code 65, "FILE:LINE: ...", if it
 * isn't. */
bool template_read_file(const char *path, struct buf *ret, struct error *err) MUST_CHECK;

/* Whether bytes are UTF-8 without NULs, as template_read_file() wants them; `path` is for the
 * fault. */
bool template_check_text(const char *text, size_t len, const char *path,
                         struct error *err) MUST_CHECK;

#endif
