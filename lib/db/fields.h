/* SPDX-License-Identifier: MIT */
#ifndef DB_FIELDS_H
#define DB_FIELDS_H

#include "base/buf.h"
#include "base/mem.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The fields of a stream entry in one blob: for each name and value a length (4 bytes, little
 * endian) and the bytes. Not JSON, because what goes to the dead letters may be any bytes.
 */
void fields_add(struct buf *pack, const char *name, const char *value);
void fields_add_bytes(struct buf *pack, const struct entry_field *field);

/* Unpacks into an array in the arena; texts have a NUL behind them. False where the blob is
 * damaged. */
bool fields_unpack(const void *pack, size_t len, struct arena *arena, struct entry_field **ret,
                   size_t *ret_n) MUST_CHECK;

/* The field at `*at`, which moves behind it, in place and without a NUL; false at the end, and
 * where the blob is damaged. */
bool fields_next(const void *pack, size_t len, size_t *at, struct entry_field *ret);

/* The value of a field as text, NULL where there is none such. */
const char *fields_find(const struct entry_field *fields, size_t n, const char *name);

#endif
