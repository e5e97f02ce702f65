/* SPDX-License-Identifier: MIT */
/*
 * Bodies of our mails (RFC 2045, section 6). The text is first brought to its canonical form, whole
 * lines that end in CRLF, then measured once in all three encodings, then written in the smallest.
 *
 * 7bit is only for text that no relay, mbox file or dot-stuffing on the way could change: printable
 * ASCII in short lines, none of which ends in a blank, begins with "From " or is a lone dot. It
 * must not contain "=_" either, the start of the boundary; the other two encodings cannot produce
 * that.
 */
#include "mail/compose_body.h"

#include "mail/compose_header.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LINE_MAX_BYTES = 76, BASE64_LINE_INPUT = 57 };

static const char hex[] = "0123456789ABCDEF";

/* What a byte is to the encodings. UTF-8 above ASCII is ENCODED too. */
enum { LITERAL, ENCODED, CONTROL };
#define C8 CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL
#define E8 ENCODED, ENCODED, ENCODED, ENCODED, ENCODED, ENCODED, ENCODED, ENCODED
static const unsigned char classes[256] = {
        C8,
        CONTROL,
        LITERAL,
        CONTROL,
        CONTROL,
        CONTROL,
        CONTROL,
        CONTROL,
        CONTROL,
        C8,
        C8, /* tab is 9 */
        ['='] = ENCODED,
        [127] = CONTROL,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
        E8,
};

static unsigned char class_of(unsigned char c)
{
	return classes[c];
}

/* Skips printable ASCII without `but`, eight bytes at a time: most of a text is nothing else. It
 * may stop early. */
static const char *skip_plain(const char *p, const char *end, char but)
{
	const uint64_t ones = UINT64_MAX / 255, high = ones * 0x80;
	for (; end - p >= (ptrdiff_t)sizeof(uint64_t); p += sizeof(uint64_t)) {
		uint64_t eight;
		memcpy(&eight, p, sizeof eight);
		eight = le64toh(eight);
		/* The lowest byte whose highest bit is left is above 7f, below 20, 7f, or `but`;
		 * those above it may only have lent to it. */
		uint64_t other = eight | (eight - ones * 0x20) | ((eight ^ ones * 0x7f) - ones) |
		                 ((eight ^ ones * (unsigned char)but) - ones);
		if (other & high)
			return p + __builtin_ctzll(other & high) / 8;
	}
	return p;
}

/* The end of the longest run from `p` that needs no change: no control characters, valid UTF-8. */
static const char *run_end(const char *p, const char *end)
{
	while (p < end) {
		p = skip_plain(p, end, 0x7f);
		if (p == end)
			break;
		unsigned char c = (unsigned char)*p;
		if (c < 0x80 && class_of(c) == CONTROL)
			break;
		size_t n = c < 0x80 ? 1 : compose_char_length(p, (size_t)(end - p));
		if (n == 0)
			break;
		p += n;
	}
	return p;
}

static void add_line(struct buf *out, const char *line, size_t len)
{
	buf_reserve(out, len + 2);
	char *to = out->data + out->len;
	memcpy(to, line, len);
	memcpy(to + len, "\r\n", sizeof "\r\n");
	out->len += len + 2;
}

/* All lines end in CRLF, control characters become spaces, bytes that aren't UTF-8 U+FFFD. */
static void canonical(struct buf *out, const char *text)
{
	size_t len = strlen(text);
	const char *p = text, *end = text + len;
	buf_reserve(out, len + len / 16);
	while (p < end) {
		const char *stop = run_end(p, end);
		if (stop < end && (*stop == '\n' || *stop == '\r')) {
			add_line(out, p, (size_t)(stop - p));
			p = stop + (stop[0] == '\r' && stop[1] == '\n' ? 2 : 1);
			continue;
		}
		buf_add(out, p, (size_t)(stop - p));
		p = stop;
		if (p == end)
			break;
		if ((unsigned char)*p >= 0x80)
			compose_add_utf8(out, p, 1);
		else
			buf_addc(out, ' ');
		p++;
	}
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_add(out, "\r\n", 2);
}

void body_read(struct buf *out, const char *text)
{
	struct buf lines = {0};
	canonical(&lines, text);
	const char *p = buf_text(&lines), *end = p + lines.len;
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));
		buf_add(out, p, (size_t)(cr - p));
		buf_addc(out, '\n');
		p = cr + 2;
	}
	buf_free(&lines);
}

/* What the choice of an encoding needs to know of a text. */
struct measure {
	bool passes;      /* survives everything as 7bit */
	size_t n_encoded; /* bytes that quoted-printable writes as three */
};

/* A line without its CRLF, which is there behind it. */
static void measure_line(const char *line, size_t len, struct measure *m)
{
	const char *end = line + len;
	if (len > 0 && (len > LINE_MAX_BYTES || end[-1] == ' ' || end[-1] == '\t' ||
	                line[0] == '.' || strncmp(line, "From ", 5) == 0))
		m->passes = false;
	for (const char *p = line; (p = skip_plain(p, end, '=')) < end; p++) {
		if (class_of((unsigned char)*p) != ENCODED)
			continue;
		m->n_encoded++;
		if (*p != '=' || p[1] == '_')
			m->passes = false;
	}
}

static struct measure measure_text(const struct buf *text)
{
	struct measure m = {.passes = true};
	const char *p = buf_text(text), *end = p + text->len;
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));
		measure_line(p, (size_t)(cr - p), &m);
		p = cr + 2;
	}
	return m;
}

/* Whether a literal at the beginning of a line, or after a soft break, must be encoded anyway: a
 * dot would be stuffed on the way, "From " marked. */
static bool risky_begin(const char *line, size_t i)
{
	return line[i] == '.' || (line[i] == 'F' && (i > 0 || strncmp(line, "From ", 5) == 0));
}

/* How many characters from `i` on need no encoding, at most `max`; a blank at the line's end does.
 */
static size_t literal_run(const char *line, size_t i, size_t len, size_t max)
{
	size_t end = len - i > max ? i + max : len;
	size_t stop = (size_t)(skip_plain(line + i, line + end, '=') - line);
	while (stop < end && class_of((unsigned char)line[stop]) == LITERAL)
		stop++;
	if (stop == len && stop > i && (line[stop - 1] == ' ' || line[stop - 1] == '\t'))
		stop--;
	return stop - i;
}

/* One line in quoted-printable with its CRLF, written where there is room: a byte takes three at
 * most, a soft break three more for at least 73. All but the last piece leave a column for the `=`
 * of a soft break. Returns its end. */
static char *write_quoted_line(char *to, const char *line, size_t len)
{
	size_t column = 0;
	for (size_t i = 0; i < len;) {
		size_t room = LINE_MAX_BYTES - column, n = 0;
		bool encode = column == 0 && risky_begin(line, i);
		if (!encode)
			n = literal_run(line, i, len, room);
		if (n > 0 && n == room && i + n < len)
			n--;
		if (n > 0) {
			memcpy(to, line + i, n);
			to += n;
			column += n;
			i += n;
		} else if (room > 3 || (room == 3 && i + 1 == len)) {
			unsigned char c = (unsigned char)line[i++];
			*to++ = '=';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
			column += 3;
		} else {
			memcpy(to, "=\r\n", 3);
			to += 3;
			column = 0;
		}
	}
	memcpy(to, "\r\n", sizeof "\r\n");
	return to + 2;
}

static void add_quoted(struct buf *out, const struct buf *text)
{
	const char *p = buf_text(text), *end = p + text->len;
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));
		size_t len = (size_t)(cr - p);
		buf_reserve(out, 4 * len + sizeof "=\r\n\r\n");
		out->len = (size_t)(write_quoted_line(out->data + out->len, p, len) - out->data);
		p = cr + 2;
	}
}

/* The approximate size in quoted-printable, good enough to choose by. */
static size_t quoted_size(size_t len, size_t n_encoded)
{
	size_t size = len + 2 * n_encoded;
	return size + size / LINE_MAX_BYTES * 3;
}

static size_t base64_size(size_t len)
{
	size_t code = (len + 2) / 3 * 4;
	return code + (code + LINE_MAX_BYTES - 1) / LINE_MAX_BYTES * 2;
}

static void add_base64(struct buf *out, const struct buf *text)
{
	static const char alphabet[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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

static void add_head(struct buf *out, const char *subtype, const char *charset,
                     const char *encoding)
{
	buf_printf(out,
	           "Content-Type: text/%s; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
	           subtype, charset, encoding);
}

void body_part(struct buf *out, const char *subtype, const char *text)
{
	struct buf body = {0};
	canonical(&body, text);
	const struct measure m = measure_text(&body);
	if (m.passes) {
		add_head(out, subtype, "utf-8", "7bit");
		buf_add(out, buf_text(&body), body.len);
	} else if (quoted_size(body.len, m.n_encoded) <= base64_size(body.len)) {
		add_head(out, subtype, "utf-8", "quoted-printable");
		add_quoted(out, &body);
	} else {
		add_head(out, subtype, "utf-8", "base64");
		add_base64(out, &body);
	}
	buf_free(&body);
}
