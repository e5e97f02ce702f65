/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_CELLS_H
#define CENTER_PAGES_CELLS_H

#include "center/entry/call.h"
#include "model/kind.h"

#include <jansson.h>

/* A value as a person reads it: words with commas, yes and no, times as when.h has them. NULL where
 * there is nothing. In the request's arena. */
const char *cells_text(const struct call *call, const json_t *value);
/* The same of a field, whose fixed words are known. */
const char *cells_field_text(const struct call *call, const struct field *field,
                             const json_t *value);

/*
 * Records of a kind as the rows of a table: `columns` [{label}] of the fields that any of them has,
 * `rows` with `id` (or name, where that is what it is called by), `called`, `cells` [one of {mail},
 * {phone, dial}, {text}], and of a note or comment its own keys besides. Both are the caller's.
 */
void cells_of(const struct call *call, const struct kind *kind, const json_t *records,
              json_t **ret_columns, json_t **ret_rows);

/* Cuts `rows` to a page of them from `?from=`; adds `older` {from, left} and `newer` {from} to
 * `data`. */
void cells_page(const struct call *call, json_t *rows, json_t *data);

/* What a phone program dials (RFC 3966): a plus, digits. In the request's arena. */
const char *cells_dial(const struct call *call, const char *phone);

#endif
