/* SPDX-License-Identifier: MIT */
/* Input: a CSV file. What is read from it is written and read again: the same cells must come back.
 */
#include "base/buf.h"
#include "db/csv.h"
#include "model/key.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct cells {
	struct buf text; /* each cell, unmarked, with a NUL behind it; a line feed and a NUL behind
	                    a row */
	struct buf csv;
};

/* In order to be written, without its mark; the caller's. */
static char *unmarked(struct csv_cell cell)
{
	csv_unmark(&cell.text, &cell.len);
	char *text = strndup(cell.text, cell.len);
	if (text == NULL)
		abort();
	return text;
}

static bool is_blank(struct csv_cell cell)
{
	char *own = unmarked(cell);
	const char *text = own;
	size_t len = strlen(text);
	key_trim(&text, &len);
	free(own);
	return len == 0;
}

/* A cell with a NUL can't be written (a record's value never has one). A row without anything to be
 * seen is passed over when read again. */
static bool comes_back(const struct csv_row *row)
{
	bool blank = true;
	for (size_t i = 0; i < row->n; i++) {
		if (strlen(row->cells[i].text) != row->cells[i].len)
			return false;
		blank = blank && is_blank(row->cells[i]);
	}
	return !blank;
}

static void take_row(struct cells *cells, const struct csv_row *row)
{
	if (!comes_back(row))
		return;
	for (size_t i = 0; i < row->n; i++) {
		char *text = unmarked(row->cells[i]);
		buf_add(&cells->text, text, strlen(text) + 1);
		csv_add_marked(&cells->csv, i == 0, text);
		free(text);
	}
	buf_add(&cells->text, "\n", 2);
	buf_adds(&cells->csv, "\r\n");
}

static void read_all(const char *bytes, size_t len, struct cells *cells, int strict)
{
	FILE *in = fmemopen((void *)(uintptr_t)bytes, len, "r");
	if (in == NULL)
		abort();
	struct csv *csv = csv_new(in);
	struct csv_row row;
	struct error err;
	enum csv_result result;
	while ((result = csv_next(csv, &row, &err)) == CSV_ROW || result == CSV_BAD) {
		if (row.line < 1 || csv_bytes(csv) > (int64_t)len || (strict && result == CSV_BAD))
			abort();
		if (result == CSV_ROW)
			take_row(cells, &row);
	}
	if (strict && result != CSV_END)
		abort();
	(void)csv_free(csv);
	(void)fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cells first = {0}, second = {0};
	/* A header of commas alone, so that the second reading separates by commas. */
	buf_adds(&first.csv, "a,b,c,d,e,f,g,h\r\n");
	if (size > 0)
		read_all((const char *)data, size, &first, 0);
	read_all(first.csv.data, first.csv.len, &second, 1);
	size_t header = strlen("a") * 16 + 2;
	if (second.text.len < header || second.text.len - header != first.text.len ||
	    (first.text.len > 0 &&
	     memcmp(second.text.data + header, first.text.data, first.text.len) != 0))
		abort();
	buf_free(&first.text);
	buf_free(&first.csv);
	buf_free(&second.text);
	buf_free(&second.csv);
	return 0;
}
