/* SPDX-License-Identifier: MIT */
/*
 * Bytes that grow. Nearly all that is written, here or there, goes through this: the way with room
 * is short, and only growing has a function of its own.
 */
#include "base/buf.h"

#include "base/format.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void grow(struct buf *buf, size_t more)
{
	if (more > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4)
		bug("buffer of %zu and %zu bytes", buf->len, more);
	size_t need = buf->len + more + 1;
	size_t cap = buf->cap ? buf->cap : 64;
	while (cap < need)
		cap *= 2;
	buf->data = mem_realloc(buf->data, cap, 1);
	buf->cap = cap;
}

/* Of sizes too large for that grow() makes an end. */
static inline bool has_room(const struct buf *buf, size_t more)
{
	return more < SIZE_MAX / 4 && buf->len + more + 1 <= buf->cap;
}

void buf_reserve(struct buf *buf, size_t more)
{
	if (!has_room(buf, more))
		grow(buf, more);
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!has_room(buf, len))
		grow(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_adds(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_addc(struct buf *buf, char c)
{
	if (!has_room(buf, 1))
		grow(buf, 1);
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
}

void buf_add_integer(struct buf *buf, int64_t value)
{
	char text[INTEGER_TEXT_MAX];
	buf_adds(buf, format_integer(value, text));
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	buf_reserve(buf, 80); /* most fit at once */
	size_t room = buf->cap - buf->len;
	int len = format_text(buf->data + buf->len, room, fmt, args);
	va_end(args);
	if (len < 0)
		bug("format '%s'", fmt);
	if ((size_t)len >= room) {
		buf_reserve(buf, (size_t)len);
		(void)format_text(buf->data + buf->len, (size_t)len + 1, fmt, again);
	}
	va_end(again);
	buf->len += (size_t)len;
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
	buf_reserve(buf, 0);
	buf->data[buf->len] = '\0';
	char *data = buf->data;
	*buf = (struct buf){0};
	return data;
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}
