/* SPDX-License-Identifier: MIT */
#ifndef BASE_JSONTEXT_H
#define BASE_JSONTEXT_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * JSON as the product takes and writes it, on jansson. The name is not json_…: that is jansson's
 * own.
 */

/*
 * Reads one JSON value of any kind that fills `text`; a byte order mark in front is skipped.
 * Refused: invalid UTF-8, NUL in any spelling, half a surrogate pair, a key given twice, text
 * behind the value, numbers beyond a double. An integer beyond 64 bits becomes a string of its
 * digits, since it is some system's key and no quantity. NULL on a fault; `err` then says line and
 * column, and what is wrong there in our own words. The caller json_decref()s.
 */
json_t *jsontext_read(const char *text, size_t len, struct error *err) MUST_CHECK;

/*
 * Hears of each value that had to be changed: `path` holds the key that leads on from each of the
 * `depth` containers around it, outermost first ("" for an array); only the first JSONTEXT_PATH_MAX
 * are there. Keys are as written, escapes and all, and live during the call.
 */
enum { JSONTEXT_PATH_MAX = 3 };
typedef void jsontext_mended(void *arg, const char *const path[JSONTEXT_PATH_MAX], size_t depth);

/*
 * The same for text from outside: half a surrogate pair and \u0000, which JSON allows and text
 * can't hold, become U+FFFD, in keys too. `mended` hears of each value; of a changed key nobody
 * does.
 */
json_t *jsontext_read_mended(const char *text, size_t len, jsontext_mended *mended, void *arg,
                             struct error *err) MUST_CHECK;

/* The same of a line of JSON Lines without its end: `err` says what is wrong, *ret_column where. */
json_t *jsontext_read_line(const char *text, size_t len, int *ret_column,
                           struct error *err) MUST_CHECK;

/* How many bytes a JSON string has as they are: up to a quote, a backslash or a control character.
 */
size_t jsontext_plain(const char *text, size_t len);

enum jsontext_order { JSONTEXT_AS_IS, JSONTEXT_SORTED };
/*
 * Appends it, compact. Members keep their order, or are sorted by bytes at every level. A real is
 * written with the fewest digits that read back as the same: 49.95, where jansson writes
 * 49.950000000000003.
 */
void jsontext_write(struct buf *buf, const json_t *value, enum jsontext_order order);

/*
 * Appends the text of an object that jsontext_write() made with its members sorted, without reading
 * it: the same bytes as by JSONTEXT_SORTED. False, and nothing is appended, where that takes
 * reading: there are containers in it, escapes in names, or more members than 64.
 */
bool jsontext_sort(struct buf *buf, const char *text);

/* How deep containers nest: 0 for a scalar, 1 for `{}`. Looks no deeper than `limit` + 1. */
int jsontext_depth(const json_t *value, int limit);

/* The text of an object's member; "" where there is none. Borrowed. */
const char *jsontext_at(const json_t *object, const char *key);

/* "an object", "text", "an integer", … for messages. */
const char *jsontext_kind(const json_t *value);

#endif
