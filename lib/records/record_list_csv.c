/* SPDX-License-Identifier: MIT */
/* A list of customers as CSV, with columns chosen. */
#include "records/records.h"

#include "base/buf.h"
#include "base/jsontext.h"
#include "db/csv.h"
#include "records/customers_private.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

enum { PIECE = 1000 }; /* rows in memory at a time */

static bool write_out(struct buf *line, FILE *out, struct error *err)
{
	bool good = fwrite(buf_text(line), 1, line->len, out) == line->len;
	buf_reset(line);
	return good || error_set(err, EX_IOERR, "the file can't be written: %s", strerror(errno));
}

static bool write_header(const struct field *const *columns, size_t n, struct buf *line, FILE *out,
                         struct error *err)
{
	for (size_t i = 0; i < n; i++)
		csv_add(line, i == 0, columns[i]->name);
	buf_adds(line, "\r\n");
	return write_out(line, out, err);
}

static bool write_row(struct customers *store, const char *number,
                      const struct field *const *columns, size_t n, struct buf *line, FILE *out,
                      struct error *err)
{
	json_t *record;
	if (!records_show(store, kind_find("customer"), number, &record, err))
		return false;
	for (size_t i = 0; i < n; i++)
		csv_add_marked(line, i == 0, jsontext_at(record, columns[i]->name));
	json_decref(record);
	buf_adds(line, "\r\n");
	return write_out(line, out, err);
}

static bool write_rows(struct customers *store, struct customer_filter filter,
                       const struct field *const *columns, size_t n, struct buf *line, FILE *out,
                       struct error *err)
{
	json_t *rows = NULL;
	bool good = true, more = true;
	filter.limit = PIECE;
	while (good && more) {
		json_t *piece;
		good = customer_list(store, &filter, &piece, err);
		json_decref(rows); /* which filter.after was in */
		rows = good ? piece : NULL;
		size_t found = json_array_size(rows);
		for (size_t i = 0; good && i < found; i++)
			good = write_row(store, jsontext_at(json_array_get(rows, i), "number"),
			                 columns, n, line, out, err);
		more = found == PIECE;
		if (more)
			filter.after = jsontext_at(json_array_get(rows, found - 1), "number");
	}
	json_decref(rows);
	return good;
}

bool customer_list_csv(struct customers *store, const struct customer_filter *filter,
                       const struct field *const *columns, size_t n_columns, FILE *out,
                       struct error *err)
{
	struct buf line = {0};
	if (!customers_begin_read(store, err))
		return false;
	bool good = write_header(columns, n_columns, &line, out, err) &&
	            write_rows(store, *filter, columns, n_columns, &line, out, err);
	customers_end_read(store);
	buf_free(&line);
	if (good && fflush(out) != 0)
		good = error_set(err, EX_IOERR, "the file can't be written: %s", strerror(errno));
	return good;
}
