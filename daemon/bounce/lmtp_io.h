/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_LMTP_IO_H
#define BOUNCE_LMTP_IO_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Lines in and replies out, on standard input and output. Replies are gathered while the client has
 * sent more already (RFC 2920, section 3.2) and written before the next wait. Neither side is
 * waited for longer than `idle_s`, and nothing is begun once the session is `session_s` old.
 */
struct lmtp_io {
	char in[16 * 1024];
	size_t at, len; /* of `in`: what isn't read yet */
	struct buf out;
	int64_t idle_ms, end_ms; /* the latter by the monotonic clock */
};

enum lmtp_line {
	LMTP_LINE, /* a command, or a mail up to its end */
	LMTP_LONG, /* it didn't fit, and was read to its end */
	LMTP_END,  /* the client has hung up */
	LMTP_LATE, /* nothing came in time, or nobody reads our replies */
};

void lmtp_start(struct lmtp_io *io, int idle_s, int session_s);
void lmtp_end(struct lmtp_io *io);

/* Adds a line, without its end in `fmt`. */
void lmtp_reply(struct lmtp_io *io, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Writes what was added; false where the client doesn't read it. */
bool lmtp_flush(struct lmtp_io *io);

/* The next line as text, without its end, which may be LF alone. One with a NUL ends there. */
enum lmtp_line lmtp_read_line(struct lmtp_io *io, char *ret, size_t size);

/*
 * A mail up to the final dot, without it and with dots that were doubled single again (RFC 5321,
 * section 4.5.2). Of one that is longer than `max` one byte more is kept, the rest is read and
 * dropped. What it says is never LMTP_LONG.
 */
enum lmtp_line lmtp_read_mail(struct lmtp_io *io, size_t max, struct buf *ret);

#endif
