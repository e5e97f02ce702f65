/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_JSON_H
#define RECORDS_RECORD_JSON_H

#include "model/kind.h"
#include "records/record_row.h"

/* Adds the record that it hangs on, by its name outside. */
bool owner_json(struct customers *store, const struct row *row, json_t *object,
                struct error *err) MUST_CHECK;
/* A row's id, its owner and its fields. */
bool record_json(struct customers *store, const struct row *row, struct arena *arena, json_t **ret,
                 struct error *err) MUST_CHECK;
typedef bool row_show_fn(struct customers *store, const struct row *row, struct arena *arena,
                         json_t **ret, struct error *err);
/* All rows of an owner, of everybody with 0, each as `show` gives it. */
bool rows_list(struct customers *store, const struct kind *kind, int64_t owner, row_show_fn *show,
               json_t **ret, struct error *err) MUST_CHECK;

#endif
