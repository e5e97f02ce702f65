/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_FIND_H
#define RECORDS_RECORD_FIND_H

#include "base/error.h"
#include "db/db.h"
#include "model/kind.h"
#include "records/customers.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The first column of all rows as an array of strings. */
bool query_texts(struct db_query *query, json_t **ret, struct error *err) MUST_CHECK;
/* A name that is an id: a positive whole number. */
bool record_id(const char *text, int64_t *ret) MUST_CHECK;
/* The id of the record of that name; 66 where there is none. */
bool record_find(struct customers *store, const struct kind *kind, const char *name, int64_t *ret,
                 struct error *err) MUST_CHECK;
/* As record_find() for "customer", but true and 0 where there is none. A number that it had before
 * names it, too. */
bool customer_id(struct customers *store, const char *number, int64_t *ret,
                 struct error *err) MUST_CHECK;

#endif
