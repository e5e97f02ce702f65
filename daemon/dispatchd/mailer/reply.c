/* SPDX-License-Identifier: MIT */
/*
 * A server's words, which may be any bytes, and may repeat what they were told: made fit for logs,
 * pages and terminals.
 */
#include "dispatchd/mailer/reply.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* What is shorter is in many words. */
enum { MASK_MIN = 4, MASK_BEGUN_MIN = 8 };
static const char masked[] = "***";

/* How many bytes the character at `p` has; 0 where it is none. */
static size_t sequence_length(const unsigned char *p, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++)
		if (utf8_valid((const char *)p, n))
			return n;
	return 0;
}

/* C0 and C1 controls, DEL, the line separators; whatever moves a terminal's cursor. */
static bool reply_is_blank(const unsigned char *p, size_t n)
{
	if (n == 1)
		return p[0] <= 0x20 || p[0] == 0x7f;
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	return n == 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae;
}

void reply_clean(char *ret, size_t size, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	size_t n = 0;
	bool blank = false;

	while (p < end) {
		size_t width = sequence_length(p, (size_t)(end - p));
		const char *from = width ? (const char *)p : "?";
		size_t take = width ? width : 1;
		if (width && reply_is_blank(p, width)) {
			blank = n > 0;
			p += width;
			continue;
		}
		if (n + (blank ? 1 : 0) + take >= size)
			break;
		if (blank)
			ret[n++] = ' ';
		blank = false;
		memcpy(ret + n, from, take);
		n += take;
		p += take;
	}
	ret[n] = '\0';
}

static const char *parse_number(const char *p, int *ret)
{
	int n = 0, digits = 0;

	while (*p >= '0' && *p <= '9' && digits < 3) {
		n = n * 10 + (*p++ - '0');
		digits++;
	}
	*ret = n;
	return digits ? p : NULL;
}

size_t reply_enhanced(const char *text, int ret[3])
{
	const char *p = text;
	int code[3] = {0};

	memset(ret, 0, 3 * sizeof ret[0]);
	for (int i = 0; i < 3; i++) {
		if (i > 0 && *p++ != '.')
			return 0;
		p = parse_number(p, &code[i]);
		if (!p)
			return 0;
	}
	if ((code[0] != 2 && code[0] != 4 && code[0] != 5) ||
	    (*p != '\0' && *p != ' ' && *p != '\t'))
		return 0;
	memcpy(ret, code, sizeof code);
	while (*p == ' ' || *p == '\t')
		p++;
	return (size_t)(p - text);
}

/* The text may have been cut within it. */
static void mask_begun(char *text, const char *secret)
{
	size_t len = strlen(text), n = strlen(secret) - 1;

	for (n = n < len ? n : len; n >= MASK_BEGUN_MIN; n--)
		if (strncasecmp(text + len - n, secret, n) == 0) {
			strcpy(text + len - n, masked);
			return;
		}
}

void reply_mask(char *text, const char *secret)
{
	size_t len = secret ? strlen(secret) : 0, new_len = strlen(masked);

	if (len < MASK_MIN)
		return;
	for (char *p = strcasestr(text, secret); p; p = strcasestr(p + new_len, secret)) {
		memcpy(p, masked, new_len);
		memmove(p + new_len, p + len, strlen(p + len) + 1);
	}
	mask_begun(text, secret);
}
