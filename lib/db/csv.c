/* SPDX-License-Identifier: MIT */
/* A CSV reader that trusts nothing, and the writer's side. One row at a time, in memory that is
 * reused. */
#include "db/csv.h"

#include "base/mem.h"
#include "model/key.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { BLOCK_SIZE = 65536 };

struct csv {
	FILE *in;
	char *block;
	size_t at, filled;
	int64_t bytes;
	int64_t line;
	char separator;
	struct buf text; /* the cells of the row, each with a NUL behind it */
	size_t *starts;  /* where each begins in `text` */
	struct csv_cell *cells;
	size_t n, cap;
	const char *bad; /* the first thing wrong with the row; NULL: nothing */
};

/* -- bytes ------------------------------------------------------------------------------------- */

/* How many bytes are at hand; `n` of them where the file has so many. */
static size_t at_hand(struct csv *csv, size_t n)
{
	size_t left = csv->filled - csv->at;
	if (left < n) {
		memmove(csv->block, csv->block + csv->at, left);
		size_t more = fread(csv->block + left, 1, BLOCK_SIZE - left, csv->in);
		csv->bytes += (int64_t)more;
		csv->at = 0;
		csv->filled = left + more;
	}
	return csv->filled - csv->at;
}

static int peek(struct csv *csv)
{
	if (csv->at == csv->filled) {
		csv->at = 0;
		csv->filled = fread(csv->block, 1, BLOCK_SIZE, csv->in);
		csv->bytes += (int64_t)csv->filled;
		if (csv->filled == 0)
			return EOF;
	}
	return (unsigned char)csv->block[csv->at];
}

static int next(struct csv *csv)
{
	int c = peek(csv);
	if (c != EOF)
		csv->at++;
	csv->line += c == '\n' || (c == '\r' && peek(csv) != '\n');
	return c;
}

/* What the first line has most of, outside quotes, is what separates. */
static char find_separator(struct csv *csv)
{
	static const char separators[] = ",;\t";
	size_t counts[3] = {0};
	bool quoted = false;
	(void)peek(csv);
	for (size_t i = csv->at; i < csv->filled; i++) {
		if (!quoted && (csv->block[i] == '\n' || csv->block[i] == '\r'))
			break;
		const char *found = csv->block[i] ? strchr(separators, csv->block[i]) : NULL;
		quoted = quoted != (csv->block[i] == '"');
		if (found && !quoted)
			counts[found - separators]++;
	}
	size_t best = 0;
	for (size_t i = 1; i < 3; i++)
		best = counts[i] > counts[best] ? i : best;
	return separators[best];
}

/* A first line `sep=;`, which declares the separator to a spreadsheet: true, and it is passed
 * over. */
static bool take_separator(struct csv *csv)
{
	const char *line = csv->block + csv->at;
	size_t left = csv->filled - csv->at, quote = left > 0 && *line == '"';
	size_t end = 2 * quote + 5;
	if (left < end || strncasecmp(line + quote, "sep=", 4) != 0 ||
	    (quote && line[end - 1] != '"'))
		return false;
	char separator = line[quote + 4];
	if ((left > end && line[end] != '\r' && line[end] != '\n') || separator == '\r' ||
	    separator == '\n' || separator == '"')
		return false;
	csv->separator = separator;
	csv->at += end;
	if (peek(csv) == '\r')
		(void)next(csv);
	if (peek(csv) == '\n')
		(void)next(csv);
	return true;
}

struct csv *csv_new(FILE *in)
{
	struct csv *csv = mem_alloc(sizeof *csv);
	csv->in = in;
	csv->block = mem_alloc(BLOCK_SIZE);
	csv->line = 1;
	if (peek(csv) == 0xef && csv->filled >= 3 && memcmp(csv->block, "\xef\xbb\xbf", 3) == 0)
		csv->at = 3;
	if (!take_separator(csv))
		csv->separator = find_separator(csv);
	return csv;
}

struct csv *csv_free(struct csv *csv)
{
	if (csv == NULL)
		return NULL;
	buf_free(&csv->text);
	free(csv->starts);
	free(csv->cells);
	free(csv->block);
	free(csv);
	return NULL;
}

int64_t csv_bytes(const struct csv *csv)
{
	return csv->bytes - (int64_t)(csv->filled - csv->at);
}

/* -- cells ------------------------------------------------------------------------------------- */

static void begin_cell(struct csv *csv)
{
	if (csv->n == csv->cap) {
		csv->cap = csv->cap ? csv->cap * 2 : 32;
		csv->starts = mem_realloc(csv->starts, csv->cap, sizeof *csv->starts);
		csv->cells = mem_realloc(csv->cells, csv->cap, sizeof *csv->cells);
	}
	csv->starts[csv->n++] = csv->text.len;
}

static void note(struct csv *csv, const char *what)
{
	if (csv->bad == NULL)
		csv->bad = what;
}

static bool is_end(const struct csv *csv, int c)
{
	return c == EOF || c == '\n' || c == '\r' || c == csv->separator;
}

/* Takes what ended a cell: a separator, or a line's end of any kind, which is one sign. */
static int take_end(struct csv *csv)
{
	int end = next(csv);
	if (end == '\r' && peek(csv) == '\n')
		end = next(csv);
	return end;
}

/* Behind the opening quote. False where the file ends in it. */
static bool read_quoted(struct csv *csv)
{
	for (;;) {
		int c = next(csv);
		if (c == EOF || csv->text.len > CSV_ROW_MAX)
			return false;
		if (c == '"' && peek(csv) != '"')
			return true;
		if (c == '"')
			(void)next(csv);
		buf_addc(&csv->text, (char)c);
	}
}

/* Runs of plain bytes are taken from the block at once: most of a file is such. */
static void read_plain(struct csv *csv)
{
	while (!is_end(csv, peek(csv)) && csv->text.len <= CSV_ROW_MAX) {
		size_t from = csv->at;
		while (csv->at < csv->filled && !is_end(csv, (unsigned char)csv->block[csv->at]))
			csv->at++;
		if (memchr(csv->block + from, '"', csv->at - from))
			note(csv, "a quote is inside a cell that isn't in quotes");
		buf_add(&csv->text, csv->block + from, csv->at - from);
	}
}

/* ="00005": text that a spreadsheet wrote so, without the quotes that the sign = would need. */
static bool begins_formula(struct csv *csv)
{
	return peek(csv) == '=' && at_hand(csv, 2) >= 2 && csv->block[csv->at + 1] == '"';
}

static bool read_formula(struct csv *csv)
{
	buf_addc(&csv->text, (char)next(csv));
	buf_addc(&csv->text, (char)next(csv));
	if (!read_quoted(csv))
		return false;
	buf_addc(&csv->text, '"');
	return true;
}

/* A cell in quotes or a formula; nothing may follow it. */
static bool read_closed(struct csv *csv)
{
	bool formula = begins_formula(csv);
	if (!formula)
		(void)next(csv);
	if (formula ? !read_formula(csv) : !read_quoted(csv))
		return false;
	size_t len = csv->text.len;
	if (!is_end(csv, peek(csv)))
		note(csv, "something follows the closing quote of a cell");
	read_plain(csv);
	csv->text.len = len;
	return true;
}

/* True with the sign that ended it in *ret_end; false where it never ends. */
static bool read_cell(struct csv *csv, int *ret_end)
{
	begin_cell(csv);
	if (peek(csv) == '"' || begins_formula(csv)) {
		if (!read_closed(csv))
			return false;
	} else {
		read_plain(csv);
	}
	buf_addc(&csv->text, '\0');
	*ret_end = take_end(csv);
	return csv->text.len <= CSV_ROW_MAX;
}

/* -- rows -------------------------------------------------------------------------------------- */

static void point_cells(struct csv *csv)
{
	for (size_t i = 0; i < csv->n; i++) {
		size_t end = (i + 1 < csv->n ? csv->starts[i + 1] : csv->text.len) - 1;
		csv->cells[i] = (struct csv_cell){.text = csv->text.data + csv->starts[i],
		                                  .len = end - csv->starts[i]};
	}
}

/* Spreadsheets write rows of separators where nothing is. */
static bool is_blank(const struct csv *csv)
{
	for (size_t i = 0; i < csv->n; i++) {
		const char *text = csv->cells[i].text;
		size_t len = csv->cells[i].len;
		key_trim(&text, &len);
		if (len > 0)
			return false;
	}
	return csv->bad == NULL;
}

static enum csv_result broken(struct csv *csv, struct error *err)
{
	if (ferror(csv->in))
		(void)error_set(err, EX_IOERR, "the file can't be read");
	else if (csv->text.len > CSV_ROW_MAX)
		(void)error_set(err, EX_DATAERR, "a row of more than %d MiB",
		                (int)(CSV_ROW_MAX >> 20));
	else
		(void)error_set(err, EX_DATAERR, "a quote that is opened here is never closed");
	return CSV_FAULT;
}

enum csv_result csv_next(struct csv *csv, struct csv_row *ret, struct error *err)
{
	int end;
	do {
		if (peek(csv) == EOF)
			return ferror(csv->in) ? broken(csv, err) : CSV_END;
		buf_reset(&csv->text);
		csv->n = 0;
		csv->bad = NULL;
		ret->line = csv->line;
		do {
			if (!read_cell(csv, &end))
				return broken(csv, err);
		} while (end == csv->separator);
		point_cells(csv);
	} while (is_blank(csv));
	ret->cells = csv->cells;
	ret->n = csv->n;
	if (csv->bad == NULL)
		return CSV_ROW;
	(void)error_set(err, EX_DATAERR, "%s", csv->bad);
	return CSV_BAD;
}

/* -- writing ----------------------------------------------------------------------------------- */

static void add_cell(struct buf *out, bool first, bool mark, const char *text)
{
	if (!first)
		buf_addc(out, ',');
	bool quote = strpbrk(text, ",;\t\"\r\n") != NULL || *text == ' ';
	if (quote)
		buf_addc(out, '"');
	if (mark)
		buf_addc(out, '\'');
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			buf_addc(out, '"');
		buf_addc(out, *p);
	}
	if (quote)
		buf_addc(out, '"');
}

/* Quote marks, then a sign that a spreadsheet takes for a formula's. */
static bool runs(const char *text, size_t len)
{
	while (len > 0 && *text == '\'') {
		text++;
		len--;
	}
	return len > 0 && *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
}

void csv_add(struct buf *out, bool first, const char *text)
{
	add_cell(out, first, false, text);
}

void csv_add_marked(struct buf *out, bool first, const char *text)
{
	add_cell(out, first, runs(text, strlen(text)), text);
}

void csv_unmark(const char **text, size_t *len)
{
	if (*len > 0 && **text == '\'' && runs(*text, *len)) {
		(*text)++;
		(*len)--;
	} else if (*len >= 3 && memcmp(*text, "=\"", 2) == 0 && (*text)[*len - 1] == '"') {
		*text += 2;
		*len -= 3;
	}
}
