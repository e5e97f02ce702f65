/* SPDX-License-Identifier: MIT */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow. `{0}` is an empty one; buf_free() ends it and leaves an empty one. */
struct buf {
	char *data; /* `len` bytes and a NUL behind them; NULL while nothing was ever added */
	size_t len, cap;
};

void buf_reserve(struct buf *buf, size_t more); /* room for so many more bytes at once */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_adds(struct buf *buf, const char *text);
void buf_addc(struct buf *buf, char c);
void buf_add_integer(struct buf *buf, int64_t value); /* its decimal digits */
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *buf_text(const struct buf *buf); /* never NULL */
char *buf_take(struct buf *buf); /* hands the text to the caller, who free()s it; never NULL */
void buf_reset(struct buf *buf); /* empty, memory kept */
void buf_free(struct buf *buf);

#endif
