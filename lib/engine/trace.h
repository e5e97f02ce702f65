/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include "base/mem.h"
#include "rules/rules.h"

/* The trace as JSON text: [{"rule": 7, "name": "not_suspended", "holds": false, "detail": "…",
 * "contact": 3}, …]; of the suspension that stops it `suspension`, its id, and `of`, whose it is.
 */
const char *trace_json(const struct trace_row *rows, size_t n, struct arena *arena);
/* The same, appended. */
struct buf;
void trace_print(const struct trace_row *rows, size_t n, struct buf *out);

/* Appends a JSON string with its quotes; the text must be valid UTF-8. */
void json_quote(struct buf *out, const char *text);

#endif
