/* SPDX-License-Identifier: MIT */
/*
 * Composes a person's reply that goes on, and checks what of it came from outside. Called by the
 * mailers and by the socket for reports.
 */
#include "mail/forward.h"

#include "mail/compose_header.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { LINE_MAX_BYTES = 998 };

/* The line's length without CRLF; false where it is none that may be sent. */
static bool read_line(const char *at, size_t left, size_t *ret_len, struct error *err)
{
	const char *end = memchr(at, '\n', left);
	if (end == NULL || end == at || end[-1] != '\r')
		return error_set(err, EX_DATAERR, "a line doesn't end in CRLF");
	size_t len = (size_t)(end - at) - 1;
	if (len > LINE_MAX_BYTES)
		return error_set(err, EX_DATAERR, "a line has %zu bytes, %d are allowed", len,
		                 LINE_MAX_BYTES);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)at[i] > 0x7f || at[i] == '\0' || at[i] == '\r')
			return error_set(err, EX_DATAERR, "a line has the byte 0x%02x",
			                 (unsigned)(unsigned char)at[i]);
	*ret_len = len;
	return true;
}

/* A field about the content, or the rest of one. */
static bool is_content_field(const char *line, size_t len, bool first)
{
	static const char prefix[] = "Content-";
	if (line[0] == ' ' || line[0] == '\t')
		return !first;
	return len > sizeof prefix && strncasecmp(line, prefix, sizeof prefix - 1) == 0 &&
	       memchr(line, ':', len) != NULL;
}

bool forward_check(const char *entity, size_t len, struct error *err)
{
	bool header = true;
	size_t n = 0;
	if (len > FORWARD_BYTES_MAX)
		return error_set(err, EX_DATAERR, "it has %zu bytes, %d are allowed", len,
		                 FORWARD_BYTES_MAX);
	for (size_t at = 0; at < len; at += n + 2) {
		if (!read_line(entity + at, len - at, &n, err))
			return false;
		if (header && n > 0 && !is_content_field(entity + at, n, at == 0))
			return error_set(err, EX_DATAERR,
			                 "its header has a field that isn't about the content");
		header = header && n > 0;
	}
	return !header || error_set(err, EX_DATAERR, "its header has no end");
}

/* "[4711] Re: Your job", where that isn't there already. */
static void add_subject(struct buf *out, const struct forward *forward)
{
	struct buf mark = {0}, subject = {0};
	buf_printf(&mark, "[%s]", forward->job);
	bool marked =
	        *forward->job == '\0' || strncmp(forward->subject, buf_text(&mark), mark.len) == 0;
	buf_printf(&subject, "%s%s%s", marked ? "" : buf_text(&mark), marked ? "" : " ",
	           forward->subject);
	header_subject(out, buf_text(&subject), forward->meant_for);
	buf_free(&mark);
	buf_free(&subject);
}

void forward_compose(const struct forward *forward, struct buf *ret)
{
	header_date(ret, forward->made);
	header_mailbox(ret, "From", forward->from->name, forward->from->address);
	header_mailbox(ret, "To", "", forward->to);
	header_mailbox(ret, "Reply-To", "", forward->reply_to);
	add_subject(ret, forward);
	header_token(ret, "Message-ID", forward->message_id);
	if (*forward->thread_id != '\0') {
		header_token(ret, "In-Reply-To", forward->thread_id);
		header_token(ret, "References", forward->thread_id);
	}
	buf_adds(ret, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n");
	if (*forward->job != '\0')
		header_percent(ret, "X-Dispatchd-Job", forward->job);
	buf_adds(ret, "MIME-Version: 1.0\r\n");
	if (forward->len > 0)
		buf_add(ret, forward->entity, forward->len);
	else
		buf_adds(ret, "\r\n");
}
