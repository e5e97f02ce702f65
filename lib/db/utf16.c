/* SPDX-License-Identifier: MIT */
/* UTF-16 to UTF-8 on the fly, behind stdio, so that the readers of CSV and JSON Lines see UTF-8
 * alone. */
#include "db/utf16.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

struct utf16 {
	FILE *in;
	bool big;      /* endian */
	uint32_t high; /* the first half of a pair whose second is not read yet; 0: none */
	char rest[8];  /* made, but not asked for yet */
	size_t n_rest, at_rest;
};

/* The next unit; EOF at the end, half a unit counts as one. */
static int32_t read_unit(struct utf16 *utf16)
{
	int first = getc(utf16->in), second = first == EOF ? EOF : getc(utf16->in);
	if (first == EOF)
		return EOF;
	if (second == EOF)
		return 0xd800;
	return utf16->big ? first << 8 | second : second << 8 | first;
}

static void put(struct utf16 *utf16, uint32_t c)
{
	char *out = utf16->rest + utf16->n_rest;
	if (c < 0x80) {
		out[0] = (char)c;
		utf16->n_rest += 1;
	} else if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		utf16->n_rest += 2;
	} else if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		utf16->n_rest += 3;
	} else {
		out[0] = (char)(0xf0 | c >> 18);
		out[1] = (char)(0x80 | (c >> 12 & 0x3f));
		out[2] = (char)(0x80 | (c >> 6 & 0x3f));
		out[3] = (char)(0x80 | (c & 0x3f));
		utf16->n_rest += 4;
	}
}

/* Makes some bytes; false at the end. A half of a pair alone becomes three bytes that UTF-8
 * forbids. */
static bool convert(struct utf16 *utf16)
{
	int32_t unit = read_unit(utf16);
	uint32_t high = utf16->high;
	utf16->n_rest = utf16->at_rest = 0;
	utf16->high = 0;
	if (high != 0 && unit >= 0xdc00 && unit <= 0xdfff) {
		put(utf16, 0x10000 + ((high - 0xd800) << 10) + ((uint32_t)unit - 0xdc00));
		return true;
	}
	if (high != 0)
		put(utf16, high);
	if (unit >= 0xd800 && unit <= 0xdbff)
		utf16->high = (uint32_t)unit;
	else if (unit != EOF)
		put(utf16, (uint32_t)unit);
	return unit != EOF || high != 0;
}

static ssize_t utf16_read(void *cookie, char *buf, size_t size)
{
	struct utf16 *utf16 = cookie;
	size_t n = 0;
	while (n < size) {
		if (utf16->at_rest == utf16->n_rest && !convert(utf16))
			break;
		while (utf16->at_rest < utf16->n_rest && n < size)
			buf[n++] = utf16->rest[utf16->at_rest++];
	}
	return n == 0 && ferror(utf16->in) ? -1 : (ssize_t)n;
}

static int utf16_close(void *cookie)
{
	free(cookie);
	return 0;
}

/* What the first two bytes mean; false where it isn't UTF-16. */
static bool sniff(int first, int second, bool *ret_big, bool *ret_mark)
{
	bool ascii_first = first > 0 && first<0x80, ascii_second = second> 0 && second < 0x80;
	*ret_mark = (first == 0xff && second == 0xfe) || (first == 0xfe && second == 0xff);
	*ret_big = first == 0xfe || first == 0;
	return *ret_mark || (first == 0 && ascii_second) || (ascii_first && second == 0);
}

FILE *utf16_open(FILE *in)
{
	bool big, mark;
	int first = getc(in), second = first == EOF ? EOF : getc(in);
	bool is = second != EOF && sniff(first, second, &big, &mark);
	if (!is || !mark) {
		if (second != EOF)
			(void)ungetc(second, in);
		if (first != EOF)
			(void)ungetc(first, in);
	}
	if (!is)
		return NULL;
	struct utf16 *utf16 = mem_alloc(sizeof *utf16);
	*utf16 = (struct utf16){.in = in, .big = big};
	FILE *out = fopencookie(utf16, "r",
	                        (cookie_io_functions_t){.read = utf16_read, .close = utf16_close});
	if (out == NULL)
		bug("fopencookie fails");
	return out;
}
