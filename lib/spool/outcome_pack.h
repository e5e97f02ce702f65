/* SPDX-License-Identifier: MIT */
#ifndef SPOOL_OUTCOME_PACK_H
#define SPOOL_OUTCOME_PACK_H

#include "base/buf.h"
#include "base/instant.h"
#include "base/mem.h"
#include "model/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An outcome's fields in short. Most of them are in the rows of its event, its job and itself, so
 * that the spool keeps only the others:
 *
 *	1, and for each field its name's number (0: length and name), the value's length, the value
 *
 * Numbers have seven bits a byte, the lowest first; those of names are places in a table that only
 * grows. A time is its milliseconds alone, and of the mail's number, which the row has, nothing
 * is written.
 */

/* What an outcome's row, and those of its event and job, have of its fields. */
struct outcome_head {
	struct instant time;
	const char *event, *source, *type, *job, *status, *reason;
	int64_t mail; /* 0: none */
};

/* The head's fields, as the contract's section 3 has them. They point into the head, and `time`. */
enum { OUTCOME_HEAD_FIELDS = 8 };
void outcome_head_fields(const struct outcome_head *head, const char *customer, size_t customer_len,
                         char time[INSTANT_TEXT_MAX], struct entry_field ret[OUTCOME_HEAD_FIELDS]);

bool outcome_is_short(const void *pack, size_t len);

/* Appends the short form of `fields` (db/fields.h, those behind the head) and of the customer. */
void outcome_shorten(const void *fields, size_t len, const char *customer,
                     const struct outcome_head *head, struct buf *ret);

/* Appends all fields as db/fields.h packs them: the head's, and those of the short form in their
 * order. False where that is damaged. */
bool outcome_lengthen(const void *pack, size_t len, const struct outcome_head *head,
                      struct buf *ret) MUST_CHECK;

/* Appends the short form without what is a person's. */
void outcome_wipe(const void *pack, size_t len, struct buf *ret);

#endif
