/* SPDX-License-Identifier: MIT */
/*
 * The wire of an LMTP session. Bytes come in blocks, whichever way the client has cut them; the end
 * of a mail is found by a small machine that sees one byte at a time.
 */
#include "bounce/lmtp_io.h"

#include "common/clock_ms.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void lmtp_start(struct lmtp_io *io, int idle_s, int session_s)
{
	*io = (struct lmtp_io){.idle_ms = (int64_t)idle_s * 1000,
	                       .end_ms = clock_mono_ms() + (int64_t)session_s * 1000};
}

void lmtp_end(struct lmtp_io *io)
{
	buf_free(&io->out);
}

/* ---- out ---- */

void lmtp_reply(struct lmtp_io *io, const char *fmt, ...)
{
	char line[512];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	buf_printf(&io->out, "%s\r\n", line);
}

/* Until the descriptor is ready; false where it isn't in time. */
static bool wait_for(struct lmtp_io *io, int fd, short what)
{
	struct pollfd ready = {.fd = fd, .events = what};
	for (;;) {
		int64_t left_ms = io->end_ms - clock_mono_ms();
		if (left_ms > io->idle_ms)
			left_ms = io->idle_ms;
		int n = left_ms > 0 ? poll(&ready, 1, (int)left_ms) : 0;
		if (n >= 0 || errno != EINTR)
			return n > 0;
	}
}

bool lmtp_flush(struct lmtp_io *io)
{
	size_t done = 0;
	while (done < io->out.len && wait_for(io, STDOUT_FILENO, POLLOUT)) {
		ssize_t n = write(STDOUT_FILENO, io->out.data + done, io->out.len - done);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	bool all = done == io->out.len;
	buf_reset(&io->out);
	return all;
}

/* ---- in ---- */

/* More bytes, once all are read; what was answered so far goes out first. */
static enum lmtp_line fill(struct lmtp_io *io)
{
	if (!lmtp_flush(io))
		return LMTP_LATE;
	for (;;) {
		if (!wait_for(io, STDIN_FILENO, POLLIN))
			return LMTP_LATE;
		ssize_t n = read(STDIN_FILENO, io->in, sizeof io->in);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return LMTP_END;
		io->at = 0;
		io->len = (size_t)n;
		return LMTP_LINE;
	}
}

enum lmtp_line lmtp_read_line(struct lmtp_io *io, char *ret, size_t size)
{
	size_t len = 0;
	bool whole = true;
	for (;;) {
		enum lmtp_line got = io->at < io->len ? LMTP_LINE : fill(io);
		if (got != LMTP_LINE)
			return got;
		char c = io->in[io->at++];
		if (c == '\n')
			break;
		if (len + 1 < size)
			ret[len++] = c;
		else
			whole = false;
	}
	if (len > 0 && ret[len - 1] == '\r')
		len--;
	ret[len] = '\0';
	return whole ? LMTP_LINE : LMTP_LONG;
}

/* Where the machine is: what of CRLF "." CRLF has been seen. */
enum place { INSIDE, BEHIND_CR, LINE_START, BEHIND_DOT, BEHIND_DOT_CR };

struct mail_end {
	enum place place;
	size_t max;
	struct buf *mail;
};

static void keep(struct mail_end *end, char c)
{
	if (end->mail->len <= end->max)
		buf_addc(end->mail, c);
}

static enum place place_behind(enum place place, char c)
{
	if (c == '\r')
		return BEHIND_CR;
	return c == '\n' && place == BEHIND_CR ? LINE_START : INSIDE;
}

/* True at the end. A dot at the start of a line is dropped, whatever is behind it. */
static bool see(struct mail_end *end, char c)
{
	if (end->place == LINE_START && c == '.') {
		end->place = BEHIND_DOT;
		return false;
	}
	if (end->place == BEHIND_DOT && c == '\r') {
		end->place = BEHIND_DOT_CR;
		return false;
	}
	if (end->place == BEHIND_DOT_CR) {
		if (c == '\n')
			return true;
		keep(end, '\r');
		end->place = BEHIND_CR;
	}
	keep(end, c);
	end->place = place_behind(end->place, c);
	return false;
}

enum lmtp_line lmtp_read_mail(struct lmtp_io *io, size_t max, struct buf *ret)
{
	struct mail_end end = {.place = LINE_START, .max = max, .mail = ret};
	for (;;) {
		while (io->at < io->len)
			if (see(&end, io->in[io->at++]))
				return LMTP_LINE;
		enum lmtp_line got = fill(io);
		if (got != LMTP_LINE)
			return got;
	}
}
