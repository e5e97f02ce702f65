/* SPDX-License-Identifier: MIT */
#ifndef BASE_JSONVIEW_H
#define BASE_JSONVIEW_H

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

#include <jansson.h>
#include <stddef.h>

/*
 * JSON to be read and never changed, for what is read once and thrown away: nodes in an arena that
 * point into the text, at a fraction of what a tree of jansson's takes. Texts and numbers are not
 * terminated.
 */
enum jsonview_type {
	JSONVIEW_NULL,
	JSONVIEW_FALSE,
	JSONVIEW_TRUE,
	JSONVIEW_NUMBER,
	JSONVIEW_TEXT,
	JSONVIEW_LIST,
	JSONVIEW_OBJECT,
};

struct jsonview {
	enum jsonview_type type;
	unsigned key_len;
	const char *key; /* its name, of a member of an object; NULL else */
	union {
		const char *text;       /* of a text, and of a number as it was written */
		struct jsonview *first; /* item or member; NULL for none */
	};
	union {
		size_t len; /* of the text */
		/* Of an object: another one that has the members that this one lacks; NULL for
		 * none. */
		const struct jsonview *behind;
	};
	struct jsonview *next; /* item or member of the same list or object */
};

/*
 * Reads one JSON value, as jsontext_read() does, but for what can only come from a broken disk: of
 * a key given twice the first counts, and what is not UTF-8 stays. NULL on a fault. Lives in the
 * arena and by `text`.
 */
struct jsonview *jsonview_read(struct arena *arena, const char *text, size_t len,
                               struct error *err) MUST_CHECK;

/* The same of a value that jansson has: lives in the arena and by `value`. NULL is a null. */
struct jsonview *jsonview_of(struct arena *arena, const json_t *value);

/* All that can be read of a view, with what is behind its objects. The caller's. */
json_t *jsonview_json(const struct jsonview *view);

/* A member of an object, or of one behind it; NULL where there is none, or `object` isn't one (it
 * may be NULL). */
const struct jsonview *jsonview_get(const struct jsonview *object, const char *key);

/* The bytes of a text that is such a member: `*ret_len` of them, not terminated. "" where there is
 * none. */
const char *jsonview_text(const struct jsonview *object, const char *key, size_t *ret_len);

/* How many items a list has; 0 for NULL and for what is not a list. */
size_t jsonview_count(const struct jsonview *list);

/* Appends a number with the digits of jsontext_write(). */
void jsonview_add_number(struct buf *out, const struct jsonview *number);

/* ---- to put values together, in the arena */

struct jsonview *jsonview_object(struct arena *arena, const struct jsonview *behind); /* empty */
/* One more member, in front of those of the same name. `key` lives as long as the arena. Values are
 * shared, not copied; NULL adds nothing. */
void jsonview_set(struct arena *arena, struct jsonview *object, const char *key,
                  const struct jsonview *value);
void jsonview_set_constant(struct arena *arena, struct jsonview *object, const char *key,
                           enum jsonview_type type); /* null, false, true */
/* One more item; `*end` is where it goes: first `&list->first`. */
void jsonview_append(struct arena *arena, struct jsonview ***end, const struct jsonview *value);
struct jsonview *jsonview_list(struct arena *arena); /* empty */

#endif
