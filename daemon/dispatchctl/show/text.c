/* SPDX-License-Identifier: MIT */
/*
 * How wide a text is on a terminal, and cutting and wrapping by that. Widths come from GLib's
 * Unicode tables, so they don't depend on the caller's locale.
 */
#include "dispatchctl/show/table.h"

#include <glib.h>
#include <string.h>

static const char ellipsis[] = "…";

/* Cells of the character at `p`, and its bytes. A byte that isn't UTF-8 is shown as itself. */
static unsigned char_cells(const char *p, size_t *ret_bytes)
{
	gunichar c = g_utf8_get_char_validated(p, -1);
	if (c == (gunichar)-1 || c == (gunichar)-2) {
		*ret_bytes = 1;
		return 1;
	}
	*ret_bytes = (size_t)(g_utf8_next_char(p) - p);
	if (g_unichar_iszerowidth(c))
		return 0;
	return g_unichar_iswide(c) ? 2 : 1;
}

static unsigned width_of(const char *text, size_t len)
{
	unsigned cells = 0;
	const char *end = text + len;
	for (size_t bytes; text < end; text += bytes)
		cells += char_cells(text, &bytes);
	return cells;
}

unsigned text_width(const char *text)
{
	return width_of(text, strlen(text));
}

/* Adds as much as fits into `cells`; returns the cells it took. */
static unsigned add_fitting(struct buf *out, const char *text, unsigned cells)
{
	unsigned used = 0;
	for (size_t bytes; *text != '\0'; text += bytes) {
		unsigned more = char_cells(text, &bytes);
		if (used + more > cells)
			break;
		buf_add(out, text, bytes);
		used += more;
	}
	return used;
}

unsigned text_add_cut(struct buf *out, const char *text, unsigned cells)
{
	unsigned width = text_width(text);
	if (width <= cells) {
		buf_adds(out, text);
		return width;
	}
	if (cells == 0)
		return 0;
	unsigned used = add_fitting(out, text, cells - 1);
	buf_adds(out, ellipsis);
	return used + 1;
}

void text_add_wrapped(struct buf *out, const char *text, unsigned indent, unsigned cells)
{
	unsigned used = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		unsigned width = width_of(text, len);
		if (used > 0 && used + 1 + width > cells) {
			buf_printf(out, "\n%*s", (int)indent, "");
			used = 0;
		} else if (used > 0) {
			buf_addc(out, ' ');
			used++;
		}
		buf_add(out, text, len);
		used += width;
		text += len;
		text += strspn(text, " ");
	}
}
