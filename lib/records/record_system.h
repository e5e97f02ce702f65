/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_RECORD_SYSTEM_H
#define RECORDS_RECORD_SYSTEM_H

#include "records/record_row.h"
#include "records/transaction.h"

/* Operations of systems and their types (record_operations.h). */
bool system_check(struct transaction *tx, const struct row *before, struct row *after,
                  const json_t *values);
bool system_written(struct transaction *tx, const struct row *row, const json_t *values,
                    bool adding, bool *changed);
bool system_show(struct customers *store, const struct row *row, json_t *object, struct error *err);
bool system_type_show(struct customers *store, const struct row *row, json_t *object,
                      struct error *err);

enum { SYSTEM_KEY_SIZE = 32 };
bool system_read_key(struct customers *store, unsigned char key[SYSTEM_KEY_SIZE],
                     struct error *err) MUST_CHECK;
/* How a secret is shown. */
#define SECRET_HIDDEN "******"

/* All fields of a system's type, by name; `key` NULL keeps secrets hidden. */
bool system_fields_json(struct customers *store, const struct row *row, const unsigned char *key,
                        json_t **ret, struct error *err) MUST_CHECK;

#endif
