/* SPDX-License-Identifier: MIT */
#ifndef BASE_LZ4_BLOCK_H
#define BASE_LZ4_BLOCK_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* LZ4's block format, which has neither a head nor a length. */

/* Adds `len` bytes as a block; false, with nothing added, where they are more than LZ4 takes (about
 * 2 GiB). */
bool lz4_block_pack(const void *bytes, size_t len, struct buf *ret) MUST_CHECK;
/* Adds the `size` bytes of a block; false, with nothing added, where it isn't one of so many. */
bool lz4_block_unpack(const void *block, size_t len, size_t size, struct buf *ret) MUST_CHECK;

#endif
