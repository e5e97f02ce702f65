/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_TRACE_WORDS_H
#define CENTER_PAGES_TRACE_WORDS_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * The rules as an event passed them or was stopped, for {{> trace}}: of a verdict's trace
 * [{rule, holds, detail, path}]. `path` leads to the record that decided, where there is one: the
 * suspension, the contact, the hours, the customer `number`. The caller's.
 */
json_t *trace_words(const struct call *call, const json_t *trace, const char *number);
/* Those of them that stopped it; a new reference to each. */
json_t *trace_words_stops(const json_t *rows);

#endif
