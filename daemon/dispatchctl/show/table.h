/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_SHOW_TABLE_H
#define DISPATCHCTL_SHOW_TABLE_H

#include "base/buf.h"
#include "base/zone.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * JSON made readable: what `--json` would print, laid out for a person. A command makes one JSON
 * document; a table or a sheet is a view of it, so that the two always agree.
 */
enum column_style {
	STYLE_PLAIN,
	STYLE_WORD,   /* a word of the contract: green for good, yellow for waiting, red for bad */
	STYLE_URGENT, /* red if the row's "urgent" or "suspended" is true */
	STYLE_FAINT,
	STYLE_TIME, /* RFC 3339, shown in the host's time zone */
};

struct column {
	const char *key;   /* a member of the row; `contact.name` goes down */
	const char *title; /* the heading, or the label of a sheet's line */
	bool right;
	unsigned min; /* is cut to this many cells before others; 0: only as a last resort */
	enum column_style style;
};

struct look {
	unsigned width; /* cells of a line; 0: no limit, nothing is cut or wrapped */
	bool colour;
	const struct zone *zone; /* in which times are shown */
};

/* Adds an RFC 3339 time in that zone, to the second; anything else as it is. */
void look_time(struct buf *out, const char *text, const struct look *look);

/* One line per row, under headings. `rows` is an array of objects. */
void table_print(struct buf *out, const json_t *rows, const struct column *columns, size_t n,
                 const struct look *look);

/* One line per member that has a value, label first; long values wrap at `look->width`. */
void table_print_sheet(struct buf *out, const json_t *object, const struct column *columns,
                       size_t n, const struct look *look);

/* A value for people: text without control characters, yes or no, lists with commas. */
void table_value(struct buf *out, const json_t *value);
/* A member's text unchanged; "" if it has none. */
const char *table_text(const json_t *object, const char *key);

/* Cells that a UTF-8 text takes on a terminal. Invalid bytes count one each. */
unsigned text_width(const char *text);
/* Adds `text`, cut to `cells` with an ellipsis if it is longer; returns the cells it took. */
unsigned text_add_cut(struct buf *out, const char *text, unsigned cells);
/* Adds `text` in lines of at most `cells`, broken at blanks; all but the first are indented by
 * `indent` blanks. */
void text_add_wrapped(struct buf *out, const char *text, unsigned indent, unsigned cells);

/* The escape that begins bold, red, …; "" if `look` has no color. look_plain() ends them all. */
const char *look_bold(const struct look *look);
const char *look_red(const struct look *look);
const char *look_faint(const struct look *look);
const char *look_plain(const struct look *look);

#endif
