/* SPDX-License-Identifier: MIT */
#include "base/lz4_block.h"

#include <limits.h>
#include <lz4.h>

bool lz4_block_pack(const void *bytes, size_t len, struct buf *ret)
{
	if (len > LZ4_MAX_INPUT_SIZE)
		return false;
	int room = LZ4_compressBound((int)len);
	buf_reserve(ret, (size_t)room);
	int packed = LZ4_compress_default(bytes, ret->data + ret->len, (int)len, room);
	ret->len += packed > 0 ? (size_t)packed : 0;
	return packed > 0;
}

bool lz4_block_unpack(const void *block, size_t len, size_t size, struct buf *ret)
{
	if (len > INT_MAX || size > LZ4_MAX_INPUT_SIZE)
		return false;
	buf_reserve(ret, size);
	int got = LZ4_decompress_safe(block, ret->data + ret->len, (int)len, (int)size);
	bool good = got >= 0 && (size_t)got == size;
	ret->len += good ? size : 0;
	return good;
}
