/* SPDX-License-Identifier: MIT */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Numbers that are mostly small: seven bits a byte, the lowest first; all bytes but the last have
 * the highest bit set. */
void varint_add(struct buf *out, uint64_t n);
/* How many bytes it takes; 0 where they end before, or where it is more than 63 bits. */
size_t varint_read(const void *bytes, size_t len, uint64_t *ret);

#endif
