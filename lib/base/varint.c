/* SPDX-License-Identifier: MIT */
#include "base/varint.h"

void varint_add(struct buf *out, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		buf_addc(out, (char)((n & 0x7f) | 0x80));
	buf_addc(out, (char)n);
}

size_t varint_read(const void *bytes, size_t len, uint64_t *ret)
{
	enum { BYTES_MAX = 9 };
	const unsigned char *p = bytes;
	uint64_t n = 0;
	for (size_t i = 0; i < len && i < BYTES_MAX; i++) {
		n |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (p[i] < 0x80) {
			*ret = n;
			return i + 1;
		}
	}
	return 0;
}
