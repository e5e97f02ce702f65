/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_ROW_H
#define RECORDS_RECORD_ROW_H

#include "model/kind.h"
#include "records/customers_private.h"
#include "records/transaction.h"

/* A record as text: a value a field, in the table's order, canonical; NULL where it has none. */
struct row {
	const struct kind *kind;
	int64_t id;       /* 0: not there yet */
	int64_t keep;     /* the id that it is to have when it is added; 0: the next one */
	int64_t owner;    /* id of the record that it hangs on; 0 for none */
	int64_t customer; /* id of the customer whose history its changes belong to; 0 for none */
	const char *value[KIND_FIELDS_MAX];
};

const struct kind_sql *row_sql(struct customers *store, const struct kind *kind);
/* Where there is no such record: true, and ret->id is 0. */
bool row_get(struct customers *store, struct arena *arena, const struct kind *kind, int64_t id,
             struct row *ret, struct error *err) MUST_CHECK;
/* A row of `kind` to be added to `owner`, empty. */
bool row_new(struct transaction *tx, const struct kind *kind, int64_t owner,
             struct row *ret) MUST_CHECK;
/* Lets a row that will be added keep the id that it had where it was exported, if an import brings
 * it and that id was never given here. */
bool row_keep_id(struct transaction *tx, struct row *row, int64_t id) MUST_CHECK;
bool row_insert(struct transaction *tx, struct row *row) MUST_CHECK; /* sets row->id */
bool row_update(struct transaction *tx, const struct row *row) MUST_CHECK;
/* Reads the current row of a `get` or `list` statement. */
void row_read(const struct kind *kind, struct db_query *query, struct arena *arena,
              struct row *ret);
/* A field's column as text; NULL for NULL. */
const char *value_read(const struct field *field, struct db_query *query, int column,
                       struct arena *arena);
/* Whether two values are the same; NULL is the same as NULL alone. */
bool value_same(const char *a, const char *b);
json_t *row_json(const struct row *row, struct arena *arena);
json_t *value_json(const struct field *field, const char *value, struct arena *arena);
/* Whether a JSON value is of a type that the field may have; NULL is the field of an id or an
 * owner. */
bool value_fits(const char *name, const struct field *field, const json_t *value,
                struct error *err) MUST_CHECK;
/* A JSON value as the text that field_check() takes; NULL and a fault for an object. */
bool value_text(const char *name, const json_t *value, struct arena *arena, const char **ret,
                size_t *ret_len, struct error *err) MUST_CHECK;
const char *row_value(const struct row *row, const char *field);
void row_set(struct row *row, const char *field, const char *value);

#endif
