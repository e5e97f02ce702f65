/* SPDX-License-Identifier: MIT */
#include "journal/pack.h"

#include "base/varint.h"

#include <lz4.h>
#include <sysexits.h>

/* An empty body is nothing. */
void journal_pack(const void *body, size_t len, struct buf *ret)
{
	if (len == 0)
		return;
	if (len > JOURNAL_BODY_MAX)
		bug("a body of %zu bytes", len);
	int most = LZ4_compressBound((int)len);
	varint_add(ret, len);
	buf_reserve(ret, (size_t)most);
	int packed = LZ4_compress_default(body, ret->data + ret->len, (int)len, most);
	if (packed <= 0)
		bug("LZ4 has no room");
	ret->len += (size_t)packed;
}

bool journal_unpack(const void *packed, size_t len, struct buf *ret, struct error *err)
{
	uint64_t size = 0;
	size_t head = len > 0 ? varint_read(packed, len, &size) : 0;
	if (len == 0)
		return true;
	if (head == 0 || size == 0 || size > JOURNAL_BODY_MAX || len - head > JOURNAL_BODY_MAX)
		return error_set(err, EX_DATAERR, "an entry of the journal is damaged");
	buf_reserve(ret, (size_t)size);
	int got = LZ4_decompress_safe((const char *)packed + head, ret->data + ret->len,
	                              (int)(len - head), (int)size);
	if (got < 0 || (uint64_t)got != size)
		return error_set(err, EX_DATAERR, "an entry of the journal is damaged");
	ret->len += (size_t)size;
	return true;
}
