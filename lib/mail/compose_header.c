/* SPDX-License-Identifier: MIT */
/*
 * Headers of our mails. Every value goes through clean() or is made of a fixed alphabet, so no data
 * can end a header line: this is the entire defense against header injection.
 */
#include "mail/compose_header.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { PHRASE_MAX = 200 }; /* quoted at most twice as long, and still a legal line */
enum {
	WORD_MAX = 75,
	WORD_EXTRA = 12
}; /* RFC 2047, section 2: an encoded word, and =?utf-8?B??= of it */

static const char hex[] = "0123456789ABCDEF";

size_t compose_char_length(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	if (s[0] < 0x80)
		return 1;
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* overlong, surrogates, beyond U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void compose_add_utf8(struct buf *out, const char *text, size_t len)
{
	size_t from = 0, i = 0;
	while (i < len) {
		size_t n = compose_char_length(text + i, len - i);
		if (n > 0) {
			i += n;
			continue;
		}
		buf_add(out, text + from, i - from);
		buf_adds(out, "\xef\xbf\xbd");
		from = ++i;
	}
	buf_add(out, text + from, len - from);
}

/* C0, DEL, C1 and the two line separators, which some mail program may take for a line break. */
static size_t control_length(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	if (s[0] < ' ' || s[0] == 0x7f)
		return 1;
	if (len >= 2 && s[0] == 0xc2 && s[1] < 0xa0)
		return 2;
	if (len >= 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9))
		return 3;
	return 0;
}

/* Valid UTF-8 without control characters (each becomes a space), trimmed at both ends. */
static void clean(struct buf *out, const char *text)
{
	size_t plain = 0;
	while (text[plain] > ' ' && text[plain] < 0x7f)
		plain++;
	if (text[plain] == '\0') {
		buf_add(out, text, plain);
		return;
	}
	struct buf valid = {0};
	compose_add_utf8(&valid, text, strlen(text));
	size_t len = valid.len, start = out->len;
	const char *p = valid.data;
	while (len > 0) {
		size_t control = control_length(p, len),
		       n = control ? control : compose_char_length(p, len);
		if (control == 0 && *p != ' ')
			buf_add(out, p, n);
		else if (out->len > start)
			buf_addc(out, ' ');
		p += n;
		len -= n;
	}
	while (out->len > start && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_free(&valid);
}

static bool is_ascii(const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->data[i] >= 0x80)
			return false;
	return true;
}

/* Whether a header can contain it as is, folded at its spaces, and be read back unchanged. */
static bool can_be_plain(const struct buf *text)
{
	size_t word = 0;
	if (!is_ascii(text) || strstr(buf_text(text), "=?") != NULL ||
	    strstr(buf_text(text), "  ") != NULL)
		return false;
	for (size_t i = 0; i < text->len; i++) {
		word = text->data[i] == ' ' ? 0 : word + 1;
		if (word > HEADER_LINE_MAX - 20)
			return false;
	}
	return true;
}

/* Adds words one by one, each that doesn't fit on a new line. `column` is the current column. */
static void add_folded(struct buf *out, const char *text, size_t column)
{
	for (;;) {
		size_t len = strcspn(text, " ");
		if (column + 1 + len > HEADER_LINE_MAX) {
			buf_adds(out, "\r\n");
			column = 0;
		}
		buf_addc(out, ' ');
		buf_add(out, text, len);
		column += 1 + len;
		if (text[len] == '\0')
			return;
		text += len + 1;
	}
}

static bool q_safe(char c) /* RFC 2047, section 5 (3): allowed in a phrase */
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t q_size(const char *text, size_t len)
{
	size_t size = 0;
	for (size_t i = 0; i < len; i++)
		size += q_safe(text[i]) || text[i] == ' ' ? 1 : 3;
	return size;
}

static void add_q(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (q_safe(text[i]) || c == ' ') {
			buf_addc(out, c == ' ' ? '_' : text[i]);
		} else {
			const char code[] = {'=', hex[c >> 4], hex[c & 15]};
			buf_add(out, code, sizeof code);
		}
	}
}

static void add_b(struct buf *out, const char *text, size_t len)
{
	static const char alphabet[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = 0;
		size_t n = len - i < 3 ? len - i : 3;
		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)text[i + k] : 0);
		const char code[] = {alphabet[v >> 18], alphabet[v >> 12 & 63],
		                     n > 1 ? alphabet[v >> 6 & 63] : '=',
		                     n > 2 ? alphabet[v & 63] : '='};
		buf_add(out, code, sizeof code);
	}
}

/* The bytes of the longest run of whole characters that fits into `room` encoded columns. */
static size_t fit_q(const char *text, size_t len, size_t room)
{
	size_t fit = 0;
	while (fit < len) {
		size_t next = fit + compose_char_length(text + fit, len - fit);
		if (q_size(text, next) > room)
			break;
		fit = next;
	}
	return fit;
}

/*
 * The same for base64, and either all of the text or a multiple of three bytes: some readers (GMime
 * is one) decode neighboring words as one stream and lose what follows padding. 0 if there is none.
 */
static size_t fit_b(const char *text, size_t len, size_t room)
{
	size_t fit = 0, i = 0;
	while (i < len) {
		i += compose_char_length(text + i, len - i);
		if ((i + 2) / 3 * 4 > room)
			return fit;
		if (i % 3 == 0)
			fit = i;
	}
	return len;
}

/*
 * Encoded words, each of whole characters (RFC 2047, section 5), one per line after the first;
 * spaces between two encoded words disappear when read. All use the encoding that is shorter
 * overall, except that a character on which no base64 word can end gets a word of its own.
 */
static void add_encoded(struct buf *out, const struct buf *text, size_t column)
{
	bool all_q = q_size(text->data, text->len) <= (text->len + 2) / 3 * 4;
	const char *p = text->data;
	size_t left = text->len;
	while (left > 0) {
		size_t room = HEADER_LINE_MAX - 1 - column;
		room = (room < WORD_MAX ? room : WORD_MAX) - WORD_EXTRA;
		size_t b = all_q ? 0 : fit_b(p, left, room);
		size_t len = b > 0   ? b
		             : all_q ? fit_q(p, left, room)
		                     : compose_char_length(p, left);
		buf_adds(out, b > 0 ? " =?utf-8?B?" : " =?utf-8?Q?");
		(b > 0 ? add_b : add_q)(out, p, len);
		buf_adds(out, "?=");
		p += len;
		left -= len;
		if (left > 0)
			buf_adds(out, "\r\n");
		column = 0;
	}
}

static void begin(struct buf *out, const char *name)
{
	buf_adds(out, name);
	buf_addc(out, ':');
}

void header_text(struct buf *out, const char *name, const char *value)
{
	struct buf text = {0};
	clean(&text, value);
	begin(out, name);
	if (can_be_plain(&text))
		add_folded(out, buf_text(&text), strlen(name) + 1);
	else
		add_encoded(out, &text, strlen(name) + 1);
	buf_adds(out, "\r\n");
	buf_free(&text);
}

void header_subject(struct buf *out, const char *subject, const char *meant_for)
{
	struct buf text = {0};
	if (meant_for == NULL) {
		header_text(out, "Subject", subject);
		return;
	}
	header_token(out, "X-Dispatchd-To", meant_for);
	buf_printf(&text, "[%s] %s", meant_for, subject);
	header_text(out, "Subject", buf_text(&text));
	buf_free(&text);
}

/* A display name that needs no quotes: atoms (RFC 5322, section 3.2.3) with spaces between. */
static bool is_phrase(const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		char c = text->data[i];
		bool alnum =
		        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alnum && strchr(" !#$%&'*+-/=?^_`{|}~", c) == NULL)
			return false;
	}
	return true;
}

/* As is or as a quoted string, on one line: a fold inside is legal, but GMime keeps its line break.
 */
static void add_phrase(struct buf *out, const struct buf *text)
{
	const char *quote = is_phrase(text) ? "" : "\"";
	buf_printf(out, " %s", quote);
	for (size_t i = 0; i < text->len; i++) {
		if (text->data[i] == '"' || text->data[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, text->data[i]);
	}
	buf_adds(out, quote);
}

/* ASCII without blanks and controls; the rest is left out. */
static void add_visible(struct buf *out, const char *text)
{
	while (*text != '\0') {
		const char *from = text;
		while (*text > ' ' && *text < 0x7f)
			text++;
		buf_add(out, from, (size_t)(text - from));
		text += *text != '\0';
	}
}

void header_mailbox(struct buf *out, const char *name, const char *display, const char *address)
{
	struct buf text = {0};
	size_t line = out->len;
	clean(&text, display);
	begin(out, name);
	if (text.len > 0) {
		if (can_be_plain(&text) && text.len <= PHRASE_MAX)
			add_phrase(out, &text);
		else
			add_encoded(out, &text, strlen(name) + 1);
		const char *nl = memrchr(out->data + line, '\n', out->len - line);
		size_t column = nl ? (size_t)(out->data + out->len - nl) : out->len - line;
		if (column + strlen(address) + 3 > HEADER_LINE_MAX)
			buf_adds(out, "\r\n");
	}
	buf_adds(out, text.len > 0 ? " <" : " ");
	add_visible(out, address);
	buf_adds(out, text.len > 0 ? ">\r\n" : "\r\n");
	buf_free(&text);
}

void header_token(struct buf *out, const char *name, const char *value)
{
	begin(out, name);
	buf_addc(out, ' ');
	add_visible(out, value);
	buf_adds(out, "\r\n");
}

void header_percent(struct buf *out, const char *name, const char *value)
{
	enum { VALUE_MAX = 300 }; /* three times as much encoded, and still a legal line */
	begin(out, name);
	buf_addc(out, ' ');
	for (size_t i = 0; value[i] != '\0' && i < VALUE_MAX; i++) {
		unsigned char c = (unsigned char)value[i];
		bool lost = c == ' ' && (i == 0 || value[i - 1] == ' ' || value[i + 1] == '\0');
		if (c >= ' ' && c < 0x7f && c != '%' && !lost) {
			buf_addc(out, value[i]);
		} else {
			const char code[] = {'%', hex[c >> 4], hex[c & 15]};
			buf_add(out, code, sizeof code);
		}
	}
	buf_adds(out, "\r\n");
}

void header_date(struct buf *out, struct instant made)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	enum { DAY_S = 86400 };
	int64_t s = made.ms / 1000 - (made.ms % 1000 < 0);
	int64_t second = (s % DAY_S + DAY_S) % DAY_S;
	struct day day = {(int32_t)((s - second) / DAY_S)};
	int y, m, d;

	day_split(day, &y, &m, &d);
	buf_printf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[day_weekday(day)], d,
	           months[m - 1], y, (int)(second / 3600), (int)(second / 60 % 60),
	           (int)(second % 60));
}
