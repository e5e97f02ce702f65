/* SPDX-License-Identifier: MIT */
/*
 * Fields and pieces of text of mails that anybody may have written: whatever comes in, text that is
 * safe to show comes out. Every function is linear in what it reads.
 */
#include "mail/report_fields.h"

#include "base/address.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "mail/report.h"

#include <string.h>
#include <strings.h>

enum { FIELD_MAX = 4000, NAME_MAX_BYTES = 80, ID_MAX = 500 };

/* ---- fields ---- */

static const char *line_end(const char *line)
{
	return line + strcspn(line, "\n");
}

static const char *next_line(const char *line)
{
	const char *end = line_end(line);
	return *end ? end + 1 : end;
}

static bool is_blank(const char *line)
{
	return line[0] == '\n' || (line[0] == '\r' && line[1] == '\n');
}

/* Where the field's name ends, at its colon; NULL if the line is none. */
static const char *name_end(const char *line)
{
	const char *at = line;
	while (*at > ' ' && *at != ':' && *at < 0x7f)
		at++;
	const char *end = at;
	at += strspn(at, " \t");
	return *at == ':' && end > line && end - line <= NAME_MAX_BYTES ? end : NULL;
}

bool mail_report_field_next(const char **at, struct arena *arena, struct mail_report_field *ret)
{
	const char *line = *at;
	while (*line && !is_blank(line)) {
		const char *end = name_end(line);
		const char *next = next_line(line);
		while (*next == ' ' || *next == '\t')
			next = next_line(next);
		*at = next;
		if (end) {
			const char *value = strchr(end, ':') + 1;
			ret->name = arena_strndup(arena, line, (size_t)(end - line));
			ret->value =
			        mail_report_line(arena, value, (size_t)(next - value), FIELD_MAX);
			return true;
		}
		line = next;
	}
	*at = is_blank(line) ? next_line(line) : line;
	return false;
}

const char *mail_report_field_value(const char *block, const char *name, struct arena *arena)
{
	size_t len = strlen(name);
	for (const char *line = block; *line && !is_blank(line); line = next_line(line)) {
		const char *at = line;
		struct mail_report_field field;
		if (strncasecmp(line, name, len) == 0 &&
		    line[len + strspn(line + len, " \t")] == ':' &&
		    mail_report_field_next(&at, arena, &field))
			return field.value;
	}
	return "";
}

/* ---- text ---- */

static bool is_space(unsigned char c)
{
	return c <= ' ' || c == 0x7f;
}

/* Appends the character at `bytes`, which is not a space; returns how many bytes it took. */
static size_t add_char(struct buf *buf, const char *bytes, size_t left)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	for (size_t n = 1; n <= 4 && n <= left; n++) {
		if (!utf8_valid(bytes, n))
			continue;
		if (utf8_has_control(bytes, n))
			buf_addc(buf, '?');
		else
			buf_add(buf, bytes, n);
		return n;
	}
	buf_adds(buf, replacement);
	return 1;
}

static char *clean(struct arena *arena, const char *bytes, size_t len, size_t max, bool lines)
{
	struct buf buf = {0};
	bool space = false;
	size_t i = 0;
	while (i < len && buf.len + 5 < max) {
		unsigned char c = (unsigned char)bytes[i];
		if (lines && c == '\n') {
			buf_addc(&buf, '\n');
			space = false;
			i++;
		} else if (is_space(c)) {
			space = lines ? c != '\r' : buf.len > 0;
			if (lines && space)
				buf_addc(&buf, ' ');
			i++;
		} else {
			if (space && !lines)
				buf_addc(&buf, ' ');
			space = false;
			i += add_char(&buf, bytes + i, len - i);
		}
	}
	char *text = arena_strndup(arena, buf_text(&buf), buf.len);
	buf_free(&buf);
	return text;
}

char *mail_report_line(struct arena *arena, const char *bytes, size_t len, size_t max)
{
	return clean(arena, bytes, len, max, false);
}

char *mail_report_lines(struct arena *arena, const char *bytes, size_t len, size_t max)
{
	return clean(arena, bytes, len, max, true);
}

/* ---- addresses ---- */

static bool is_address_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && strchr("<>()[]\\,;:\"'`|", c) == NULL;
}

/* The address around an `@`, between what can't be part of one. */
static const char *around(const char *text, size_t len, const char *at, struct arena *arena,
                          const char **ret_end)
{
	const char *begin = at, *end = at + 1;
	while (begin > text && is_address_char(begin[-1]) && begin[-1] != '@' &&
	       at - begin < MAIL_REPORT_ADDRESS_MAX)
		begin--;
	while (end < text + len && is_address_char(*end) && *end != '@' &&
	       end - at < MAIL_REPORT_ADDRESS_MAX)
		end++;
	while (end > at && (end[-1] == '.' || end[-1] == '!' || end[-1] == '?'))
		end--;
	if (begin == at || end <= at + 1 || end - begin > MAIL_REPORT_ADDRESS_MAX)
		return "";
	const char *address = arena_strndup(arena, begin, (size_t)(end - begin));
	if (!utf8_valid(address, strlen(address)) || utf8_has_control(address, strlen(address)))
		return "";
	if (ret_end)
		*ret_end = end;
	return address;
}

const char *mail_report_address_in(const char *text, size_t len, struct arena *arena,
                                   const char **ret_end)
{
	const char *from = text;
	for (const char *at; (at = memchr(from, '@', len - (size_t)(from - text))); from = at + 1) {
		const char *found = around(text, len, at, arena, ret_end);
		if (found[0])
			return found;
	}
	return "";
}

/* A hexadecimal digit's value; -1 if it is none. */
static int hex(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;
	return at ? (int)(at - digits) : -1;
}

static void add_code_point(struct buf *buf, unsigned c)
{
	if (c < 0x80) {
		buf_addc(buf, (char)c);
	} else if (c < 0x800) {
		buf_addc(buf, (char)(0xC0 | c >> 6));
		buf_addc(buf, (char)(0x80 | (c & 0x3F)));
	} else if (c < 0x10000) {
		buf_addc(buf, (char)(0xE0 | c >> 12));
		buf_addc(buf, (char)(0x80 | (c >> 6 & 0x3F)));
		buf_addc(buf, (char)(0x80 | (c & 0x3F)));
	} else {
		buf_addc(buf, (char)(0xF0 | c >> 18));
		buf_addc(buf, (char)(0x80 | (c >> 12 & 0x3F)));
		buf_addc(buf, (char)(0x80 | (c >> 6 & 0x3F)));
		buf_addc(buf, (char)(0x80 | (c & 0x3F)));
	}
}

/* `\x{e9}` (RFC 6533, section 3, utf-8-addr-xtext) at `at`: its length, 0 if it is none. */
static size_t decode_point(const char *at, unsigned *ret)
{
	unsigned c = 0;
	size_t n = 3;
	if (strncmp(at, "\\x{", 3) != 0)
		return 0;
	for (; hex(at[n]) >= 0 && n < 9; n++)
		c = c << 4 | (unsigned)hex(at[n]);
	if (at[n] != '}' || n == 3 || c > 0x10FFFF)
		return 0;
	*ret = c;
	return n + 1;
}

static const char *decoded(const char *text, struct arena *arena)
{
	if (strstr(text, "\\x{") == NULL)
		return text;
	struct buf buf = {0};
	for (size_t n; *text; text += n) {
		unsigned c;
		n = decode_point(text, &c);
		if (n)
			add_code_point(&buf, c);
		else
			buf_addc(&buf, text[n++]);
	}
	const char *ret = mail_report_line(arena, buf_text(&buf), buf.len, FIELD_MAX);
	buf_free(&buf);
	return ret;
}

const char *mail_report_address(const char *text, struct arena *arena)
{
	const char *type = strchr(text, ';');
	const char *at = strchr(text, '@');
	text = decoded(type && (at == NULL || type < at) ? type + 1 : text, arena);
	/* In brackets it is what they hold, whatever the name in front of them. */
	const char *open = strrchr(text, '<');
	const char *close = open ? strchr(open, '>') : NULL;
	if (close) {
		const char *inside =
		        mail_report_address_in(open, (size_t)(close - open), arena, NULL);
		if (inside[0])
			return inside;
	}
	return mail_report_address_in(text, strlen(text), arena, NULL);
}

const char *mail_report_message_id(const char *text, struct arena *arena)
{
	const char *open = strchr(text, '<');
	const char *close = open ? strchr(open, '>') : NULL;
	if (close && close - open > 1)
		return mail_report_line(arena, open + 1, (size_t)(close - open - 1), ID_MAX);
	size_t len = strcspn(text, " ");
	return memchr(text, '@', len) ? mail_report_line(arena, text, len, ID_MAX) : "";
}
