/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_SEARCH_PRIVATE_H
#define RECORDS_SEARCH_PRIVATE_H

#include "base/buf.h"
#include "records/customers.h"

#include <jansson.h>

/* What search.c and search_related.c share; nobody else includes it. */

/* Appends `"abc" AND "bcd" …`; the text has three characters or more. */
void search_trigrams(struct buf *out, const char *text, size_t len);
/* number, name, dba, city, state, phone, status; an empty object where the customer is gone. */
bool search_summary(struct customers *store, int64_t id, json_t **ret,
                    struct error *err) MUST_CHECK;

#endif
