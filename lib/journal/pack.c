/* SPDX-License-Identifier: MIT */
#include "journal/pack.h"

#include "base/lz4_block.h"
#include "base/varint.h"

#include <sysexits.h>

/* An empty body is nothing. */
bool journal_pack(const void *body, size_t len, struct buf *ret, struct error *err)
{
	size_t before = ret->len;
	if (len == 0)
		return true;
	varint_add(ret, len);
	if (len <= JOURNAL_BODY_MAX && lz4_block_pack(body, len, ret))
		return true;
	ret->len = before;
	return error_set(
	        err, EX_SOFTWARE,
	        "a turn's changes of %zu bytes are more than an entry of the journal may have",
	        len);
}

bool journal_unpack(const void *packed, size_t len, struct buf *ret, struct error *err)
{
	uint64_t size = 0;
	size_t head = len > 0 ? varint_read(packed, len, &size) : 0;
	if (len == 0)
		return true;
	return (head > 0 && size > 0 && size <= JOURNAL_BODY_MAX &&
	        lz4_block_unpack((const char *)packed + head, len - head, (size_t)size, ret)) ||
	       error_set(err, EX_DATAERR, "an entry of the journal is damaged");
}
