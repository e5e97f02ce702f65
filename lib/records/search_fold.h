/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_SEARCH_FOLD_H
#define RECORDS_SEARCH_FOLD_H

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "model/kind.h"
#include "records/customers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Folds the customers that the triggers noted. Within a transaction. */
bool search_refresh(struct customers *store, struct error *err) MUST_CHECK;

/* Appends all lines by which a value of that field is found, each with a line feed behind it. */
void search_value_lines(enum search_by by, const char *text, size_t len, struct buf *out);
/* The value of the record that has the line; the line where it is gone. In the arena. */
bool search_value(struct customers *store, int64_t id, enum search_by by, const char *line,
                  struct arena *arena, const char **ret, struct error *err) MUST_CHECK;

#endif
