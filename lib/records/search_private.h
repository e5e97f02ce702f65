/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_SEARCH_PRIVATE_H
#define RECORDS_SEARCH_PRIVATE_H

#include "base/buf.h"
#include "records/customers.h"

#include <jansson.h>

/* What search.c and search_related.c share; nobody else includes it. */

/* -- search_fold.c -- */
/* Appends all lines by which a value of that field is found, each with a line feed behind it. */
void search_value_lines(enum search_by by, const char *text, size_t len, struct buf *out);
/* The value of the record that has the line; the line where it is gone. In the arena. */
bool search_value(struct customers *store, int64_t id, enum search_by by, const char *line,
                  struct arena *arena, const char **ret, struct error *err) MUST_CHECK;

/* -- search.c -- */
/* Characters of valid UTF-8. */
size_t search_chars(const char *text, size_t len);
/* Appends `"abc" AND "bcd" …`; the text has three characters or more. */
void search_trigrams(struct buf *out, const char *text, size_t len);
/* number, name, dba, city, state, phone, status; an empty object where the customer is gone. */
bool search_summary(struct customers *store, int64_t id, json_t **ret,
                    struct error *err) MUST_CHECK;

#endif
