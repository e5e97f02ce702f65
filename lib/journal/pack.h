/* SPDX-License-Identifier: MIT */
#ifndef JOURNAL_PACK_H
#define JOURNAL_PACK_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* An entry's body as it is in the journal: LZ4's block format, behind its length, since Redis and
 * its replicas handle each byte several times. */

enum { JOURNAL_BODY_MAX = 256 << 20 }; /* unpacked */

/* Adds the packed form to `ret`; code 70 where the body is larger than an entry may have. */
bool journal_pack(const void *body, size_t len, struct buf *ret, struct error *err) MUST_CHECK;
/* Adds the body to `ret`; code 65 where it is none. */
bool journal_unpack(const void *packed, size_t len, struct buf *ret, struct error *err) MUST_CHECK;

#endif
