/* SPDX-License-Identifier: MIT */
/*
 * Bodies of our mails (RFC 2045, section 6). The text is first brought to its canonical form, whole
 * lines that end in CRLF, then measured once in all three encodings, then written in the smallest.
 *
 * 7bit is only for what no relay, mbox file or dot-stuffing on the way could touch: printable ASCII
 * in short lines, none of which ends in a blank, begins with "From " or is a lone dot. It must not
 * hold "=_" either, which the boundary begins with: the two other encodings cannot produce that.
 */
#include "mail/compose_body.h"

#include "mail/compose_header.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LINE_MAX_BYTES = 76, BASE64_LINE_INPUT = 57 };

static const char hex[] = "0123456789ABCDEF";

/* Lines end in CRLF whatever they ended in, control characters are spaces, bytes that are no UTF-8 are
 * marked.
 */
static void canonical(struct buf *out, const char *text)
{
	const char *p = text;
	for (;;) {
		size_t run = 0;
		while ((unsigned char)p[run] >= ' ' && p[run] != 0x7f)
			run++;
		compose_add_utf8(out, p, run);
		p += run;
		if (*p == '\0')
			break;
		if (*p == '\n' || *p == '\r')
			buf_adds(out, "\r\n");
		else
			buf_addc(out, *p == '\t' ? '\t' : ' ');
		p += p[0] == '\r' && p[1] == '\n' ? 2 : 1;
	}
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_adds(out, "\r\n");
}

static bool is_literal(char c) /* stands for itself in quoted-printable, except at the end of a line */
{
	return (c >= ' ' && c <= '~' && c != '=') || c == '\t';
}

/* Whether a line, given without its CRLF, passes through everything as 7bit. */
static bool passes(const char *line, size_t len)
{
	if (len == 0)
		return true;
	if (len > LINE_MAX_BYTES || line[len - 1] == ' ' || line[len - 1] == '\t')
		return false;
	if (line[0] == '.' || strncmp(line, "From ", 5) == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (line[i] < ' ' && line[i] != '\t') /* bytes above 127 are below here, or caught next */
			return false;
		else if ((unsigned char)line[i] > '~' || (line[i] == '=' && line[i + 1] == '_'))
			return false;
	return true;
}

/* Whether the character at `i` of a line must be encoded although it is a literal. */
static bool must_encode(const char *line, size_t i, size_t len)
{
	char c = line[i];
	if ((c == ' ' || c == '\t') && i + 1 == len)
		return true;
	return i == 0 && (c == '.' || (c == 'F' && strncmp(line, "From ", 5) == 0));
}

/*
 * One line in quoted-printable without its CRLF. A soft break leaves one column for its `=`. `out` may
 * be NULL to count only. Returns the size.
 */
static size_t quote_line(struct buf *out, const char *line, size_t len)
{
	size_t column = 0, size = 0;
	for (size_t i = 0; i < len; i++) {
		bool literal = is_literal(line[i]) && !must_encode(line, i, len);
		size_t n = literal ? 1 : 3;
		if (column + n > LINE_MAX_BYTES - (i + 1 < len)) {
			if (out != NULL)
				buf_adds(out, "=\r\n");
			size += 3;
			column = 0;
			/* after a soft break a line begins too: a lone dot there is stuffed, "From " marked
			 */
			if (line[i] == '.' || line[i] == 'F') {
				literal = false;
				n = 3;
			}
		}
		column += n;
		size += n;
		if (out == NULL)
			continue;
		unsigned char c = (unsigned char)line[i];
		const char code[] = {'=', hex[c >> 4], hex[c & 15]};
		buf_add(out, literal ? &line[i] : code, n);
	}
	return size;
}

/* Calls back for each line of canonical text. */
static size_t each_line(const struct buf *text, struct buf *out,
                        size_t (*line)(struct buf *, const char *, size_t))
{
	size_t sum = 0;
	const char *p = text->data, *end = p + text->len;
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));
		sum += line(out, p, (size_t)(cr - p)) + 2;
		if (out != NULL)
			buf_adds(out, "\r\n");
		p = cr + 2;
	}
	return sum;
}

static bool all_pass(const struct buf *text)
{
	const char *p = text->data, *end = p + text->len;
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));
		if (!passes(p, (size_t)(cr - p)))
			return false;
		p = cr + 2;
	}
	return true;
}

static size_t base64_size(size_t len)
{
	size_t code = (len + 2) / 3 * 4;
	return code + (code + LINE_MAX_BYTES - 1) / LINE_MAX_BYTES * 2;
}

static void add_base64(struct buf *out, const struct buf *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char line[LINE_MAX_BYTES + 2];
	size_t n = 0;
	for (size_t i = 0; i < text->len; i += 3) {
		const unsigned char *in = (const unsigned char *)text->data + i;
		size_t left = text->len - i;
		uint32_t v = (uint32_t)in[0] << 16 | (left > 1 ? (uint32_t)in[1] << 8 : 0) |
		             (left > 2 ? in[2] : 0);
		line[n++] = alphabet[v >> 18];
		line[n++] = alphabet[v >> 12 & 63];
		line[n++] = left > 1 ? alphabet[v >> 6 & 63] : '=';
		line[n++] = left > 2 ? alphabet[v & 63] : '=';
		if (n == LINE_MAX_BYTES || left <= 3) {
			line[n++] = '\r';
			line[n++] = '\n';
			buf_add(out, line, n);
			n = 0;
		}
	}
}

static void add_head(struct buf *out, const char *subtype, const char *charset, const char *encoding)
{
	buf_printf(out, "Content-Type: text/%s; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n", subtype,
	           charset, encoding);
}

void body_part(struct buf *out, const char *subtype, const char *text)
{
	struct buf body = {0};
	canonical(&body, text);
	if (all_pass(&body)) {
		add_head(out, subtype, "utf-8", "7bit");
		buf_add(out, buf_text(&body), body.len);
	} else if (each_line(&body, NULL, quote_line) <= base64_size(body.len)) {
		add_head(out, subtype, "utf-8", "quoted-printable");
		each_line(&body, out, quote_line);
	} else {
		add_head(out, subtype, "utf-8", "base64");
		add_base64(out, &body);
	}
	buf_free(&body);
}
