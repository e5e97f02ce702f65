/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_READ_ENTITY_H
#define BOUNCE_READ_ENTITY_H

#include "base/buf.h"

#include <stddef.h>

/*
 * A mail's content with its attachments, as the daemon forwards it (mail/forward.h): the fields
 * about the content, a blank line and the body, encoded for 7 bits, with CRLF. What can't be
 * written so, or costs too much to parse, becomes one attachment with the mail as it came.
 * mime_start() comes first.
 */
void entity_write(const char *bytes, size_t len, struct buf *ret);

#endif
