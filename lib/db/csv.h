/* SPDX-License-Identifier: MIT */
#ifndef DB_CSV_H
#define DB_CSV_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * CSV as RFC 4180 has it, and as programs write it: UTF-8 with or without a byte order mark, line
 * breaks of any kind (a carriage return alone, too), separated by `,`, `;` or tabs, whichever the
 * first line has most of, or by what a first line `sep=;` says. Cells in quotes may hold line
 * breaks. Rows of nothing but white space are skipped.
 */
struct csv;
struct csv *csv_new(FILE *in);
struct csv *csv_free(struct csv *csv); /* takes NULL; returns NULL; the file stays open */

struct csv_cell {
	const char *text; /* `len` bytes and a NUL; may hold others */
	size_t len;
};
struct csv_row {
	const struct csv_cell *cells; /* good until the next call */
	size_t n;
	int64_t line; /* on which it begins, from 1 */
};

enum csv_result {
	CSV_ROW,
	CSV_BAD, /* this row is malformed (`err` has why), the next can be read; ret->line is set */
	CSV_END,
	CSV_FAULT, /* nothing more can be read; ret->line is set */
};
enum csv_result csv_next(struct csv *csv, struct csv_row *ret, struct error *err) MUST_CHECK;
int64_t csv_bytes(const struct csv *csv); /* read so far */

enum { CSV_ROW_MAX = 32 * 1024 * 1024 };

/* Appends a cell, in quotes where it needs them; the first of a row has no separator before it. */
void csv_add(struct buf *out, bool first, const char *text);

/*
 * A spreadsheet runs a cell that begins with = + - @ or a tab. csv_add_marked() puts a `'` before
 * it (and before one that looks marked already), csv_unmark() takes one away. What a spreadsheet
 * wrote as ="00005", so that it stays text, is the text within: `len` bytes without a NUL behind
 * them.
 */
void csv_add_marked(struct buf *out, bool first, const char *text);
void csv_unmark(const char **text, size_t *len);

#endif
