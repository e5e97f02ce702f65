/* SPDX-License-Identifier: MIT */
/*
 * Tables and sheets. Columns start as wide as their widest cell; on a narrower terminal the widest
 * column that may be cut loses a cell at a time until the line fits. On a very narrow one these
 * columns go below their minimum, then the others are cut, too; if that isn't enough, the last
 * columns are left out. Values from records are printed without control characters: a customer's
 * name must not be able to control the terminal of the person who lists it.
 */
#include "dispatchctl/show/table.h"

#include "base/mem.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, ROOM_MIN = 10, CELLS_MAX = 1 << 20 };

const char *look_bold(const struct look *look)
{
	return look->colour ? "\x1b[1m" : "";
}

const char *look_red(const struct look *look)
{
	return look->colour ? "\x1b[31m" : "";
}

const char *look_faint(const struct look *look)
{
	return look->colour ? "\x1b[2m" : "";
}

const char *look_plain(const struct look *look)
{
	return look->colour ? "\x1b[0m" : "";
}

static void add_text(struct buf *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		bool c1 = *p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0; /* U+0080 to U+009F */
		if (c1)
			p++;
		buf_addc(out, c1 || *p < 0x20 || *p == 0x7f ? ' ' : (char)*p);
	}
}

static void add_list(struct buf *out, const json_t *list)
{
	size_t i;
	const json_t *item;
	json_array_foreach(list, i, item)
	{
		if (i > 0)
			buf_adds(out, ", ");
		table_value(out, item);
	}
}

void table_value(struct buf *out, const json_t *value)
{
	if (json_is_string(value))
		add_text(out, json_string_value(value));
	else if (json_is_boolean(value))
		buf_adds(out, json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		add_list(out, value);
	else if (value != NULL && !json_is_null(value)) {
		char *text =
		        json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12));
		add_text(out, text);
		free(text);
	}
}

const char *table_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static const json_t *member(const json_t *row, const char *key)
{
	const char *dot = strchr(key, '.');
	const json_t *whole =
	        json_object_get(row, key); /* a field's name may have dots of its own */
	if (dot == NULL || whole != NULL)
		return whole;
	return member(json_object_getn(row, key, (size_t)(dot - key)), dot + 1);
}

void look_time(struct buf *out, const char *text, const struct look *look)
{
	struct instant at;
	char shown[INSTANT_TEXT_MAX];
	if (!instant_parse(text, &at) || look->zone == NULL) {
		add_text(out, text);
		return;
	}
	at.ms -= (at.ms % 1000 + 1000) % 1000;
	buf_adds(out, instant_format(at, zone_offset_s(look->zone, at), shown));
}

static const char *cell(struct buf *scratch, const json_t *row, const struct column *column,
                        const struct look *look)
{
	const json_t *value = member(row, column->key);
	buf_reset(scratch);
	if (column->style == STYLE_TIME && json_is_string(value))
		look_time(scratch, json_string_value(value), look);
	else if (!json_is_false(value)) /* a "no" in every line only hides the one "yes" */
		table_value(scratch, value);
	return buf_text(scratch);
}

/* Colors that make trouble easy to spot. */
static const struct {
	const char *word, *escape;
} word_colours[] = {
        {"sent", "\x1b[32m"},     {"active", "\x1b[32m"},    {"released", "\x1b[32m"},
        {"allowed", "\x1b[32m"},  {"up", "\x1b[32m"},        {"ok", "\x1b[32m"},
        {"deferred", "\x1b[33m"}, {"retrying", "\x1b[33m"},  {"held", "\x1b[33m"},
        {"queued", "\x1b[33m"},   {"failed", "\x1b[31m"},    {"rejected", "\x1b[31m"},
        {"denied", "\x1b[31m"},   {"collision", "\x1b[31m"}, {"expired", "\x1b[31m"},
        {"down", "\x1b[31m"},     {"bounced", "\x1b[31m"},   {"inactive", "\x1b[2m"},
};

static const char *style_escape(const struct column *column, const json_t *row, const char *text,
                                const struct look *look)
{
	if (!look->colour)
		return "";
	if (column->style == STYLE_FAINT)
		return look_faint(look);
	if (column->style == STYLE_URGENT)
		return json_is_true(json_object_get(row, "urgent")) ||
		                       json_is_true(json_object_get(row, "suspended"))
		               ? look_red(look)
		               : "";
	for (size_t i = 0;
	     column->style == STYLE_WORD && i < sizeof word_colours / sizeof *word_colours; i++)
		if (strcmp(text, word_colours[i].word) == 0)
			return word_colours[i].escape;
	return "";
}

static void measure(const json_t *rows, const struct column *columns, size_t n, unsigned *widths,
                    const struct look *look)
{
	struct buf scratch = {0};
	for (size_t c = 0; c < n; c++)
		widths[c] = text_width(columns[c].title);
	size_t i;
	const json_t *row;
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n; c++) {
			unsigned width = text_width(cell(&scratch, row, &columns[c], look));
			widths[c] = width > widths[c] ? width : widths[c];
		}
	}
	buf_free(&scratch);
}

/* How far columns may be cut: to their minimum; further; then all of them, the first column last.
 */
enum round { ROUND_FAIR, ROUND_TIGHT, ROUND_ALL, ROUND_NAME, ROUNDS };
enum { TIGHT = 4 };

static unsigned least_width(const struct column *columns, size_t c, enum round round)
{
	unsigned fair = columns[c].min > 0 ? columns[c].min : UINT_MAX;
	switch (round) {
	case ROUND_FAIR:
		return fair;
	case ROUND_TIGHT:
		return fair == UINT_MAX ? fair : TIGHT;
	case ROUND_ALL:
		return c == 0 ? fair : TIGHT;
	default:
		return TIGHT;
	}
}

/* The widest column that may still lose a cell; -1 if none may. */
static int widest(const struct column *columns, size_t n, const unsigned *widths, enum round round)
{
	int found = -1;
	for (size_t c = 0; c < n; c++)
		if (widths[c] > least_width(columns, c, round) &&
		    (found < 0 || widths[c] > widths[found]))
			found = (int)c;
	return found;
}

/* How many columns fit if all are as narrow as possible. */
static size_t columns_that_fit(size_t n, const unsigned *widths, unsigned limit)
{
	unsigned total = 0;
	for (size_t c = 0; c < n; c++) {
		total += (c > 0 ? GAP : 0) + (widths[c] < TIGHT ? widths[c] : TIGHT);
		if (total > limit)
			return c > 0 ? c : 1;
	}
	return n;
}

/* Returns how many columns are left. */
static size_t shrink(const struct column *columns, size_t n, unsigned *widths, unsigned limit)
{
	if (limit == 0 || n == 0)
		return n;
	n = columns_that_fit(n, widths, limit);
	unsigned total = (unsigned)(n - 1) * GAP;
	for (size_t c = 0; c < n; c++) {
		widths[c] = widths[c] > CELLS_MAX ? CELLS_MAX : widths[c];
		total += widths[c];
	}
	for (enum round round = ROUND_FAIR; total > limit && round < ROUNDS; round++) {
		for (int c; total > limit && (c = widest(columns, n, widths, round)) >= 0; total--)
			widths[c]--;
	}
	return n;
}

static void print_cell(struct buf *out, const struct column *column, const char *text,
                       const char *escape, unsigned width, bool last)
{
	unsigned need = text_width(text);
	unsigned blanks = need < width ? width - need : 0;
	if (column->right)
		buf_printf(out, "%*s", (int)blanks, "");
	buf_adds(out, escape);
	text_add_cut(out, text, width);
	if (*escape != '\0')
		buf_adds(out, "\x1b[0m");
	if (!column->right && !last)
		buf_printf(out, "%*s", (int)blanks, "");
	buf_printf(out, "%*s", last ? 0 : GAP, "");
}

/* Columns without a value in any row are left out: they would only push the others away. */
static size_t used_columns(const json_t *rows, const struct column *columns, size_t n,
                           struct column *ret, const struct look *look)
{
	size_t used = 0;
	struct buf scratch = {0};
	for (size_t c = 0; c < n; c++) {
		bool any = false;
		size_t i;
		const json_t *row;
		json_array_foreach(rows, i, row)
		{
			any = any || *cell(&scratch, row, &columns[c], look) != '\0';
			if (any)
				break;
		}
		if (any)
			ret[used++] = columns[c];
	}
	buf_free(&scratch);
	return used;
}

/* Without the blanks that an empty last cell leaves. */
static void end_line(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->len--;
	buf_addc(out, '\n');
}

void table_print(struct buf *out, const json_t *rows, const struct column *all, size_t n,
                 const struct look *look)
{
	struct column *columns = mem_alloc((n + 1) * sizeof *columns);
	unsigned *widths = mem_alloc((n + 1) * sizeof *widths);
	n = used_columns(rows, all, n, columns, look);
	measure(rows, columns, n, widths, look);
	n = shrink(columns, n, widths, look->width);
	for (size_t c = 0; c < n; c++)
		print_cell(out, &columns[c], columns[c].title, look_bold(look), widths[c],
		           c + 1 == n);
	if (n > 0)
		buf_addc(out, '\n');
	struct buf scratch = {0};
	size_t i;
	const json_t *row;
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n; c++) {
			const char *text = cell(&scratch, row, &columns[c], look);
			print_cell(out, &columns[c], text,
			           style_escape(&columns[c], row, text, look), widths[c],
			           c + 1 == n);
		}
		end_line(out);
	}
	buf_free(&scratch);
	free(widths);
	free(columns);
}

void table_print_sheet(struct buf *out, const json_t *object, const struct column *columns,
                       size_t n, const struct look *look)
{
	unsigned label = 0;
	struct buf scratch = {0};
	for (size_t c = 0; c < n; c++) {
		unsigned width = *cell(&scratch, object, &columns[c], look)
		                         ? text_width(columns[c].title)
		                         : 0;
		label = width > label ? width : label;
	}
	unsigned room = look->width > label + GAP + ROOM_MIN ? look->width - label - GAP : ROOM_MIN;
	room = look->width == 0 ? CELLS_MAX : room;
	for (size_t c = 0; c < n; c++) {
		const char *text = cell(&scratch, object, &columns[c], look);
		if (*text == '\0')
			continue;
		unsigned blanks = label - text_width(columns[c].title) + GAP;
		buf_printf(out, "%s%s%s%*s", look_faint(look), columns[c].title, look_plain(look),
		           (int)blanks, "");
		const char *escape = style_escape(&columns[c], object, text, look);
		buf_adds(out, escape);
		text_add_wrapped(out, text, label + GAP, room);
		buf_printf(out, "%s\n", *escape ? "\x1b[0m" : "");
	}
	buf_free(&scratch);
}
