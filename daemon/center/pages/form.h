/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_FORM_H
#define CENTER_PAGES_FORM_H

#include "center/entry/call.h"
#include "model/kind.h"

#include <jansson.h>

/*
 * Forms follow from the kinds' table: a field of a record is an input by its type, and what comes
 * back is the record's values again.
 */

/*
 * The inputs of a record: an array of {name, label, hint, required, value, fault, and one of
 * `area`, `flag` {checked}, `has_choices` {choices}, `has_checks` {checks}, `input` {type}}; `wide`
 * ones take a line, the end of a suspension has `indefinite` {checked} besides, a field of a
 * system's type its own name as `pair`.
 * `values` is what they show (a record, or what was typed); NULL for a new one. `fault` may be
 * NULL; it shows at the field that its text begins with. The caller's.
 */
json_t *form_inputs(struct call *call, const struct kind *kind, bool adding, const json_t *values,
                    const struct error *fault);

/* All values of that name that were typed, as an array; the caller's. */
json_t *form_all(const struct call *call, const char *name);

/* What was typed, for records_add() and records_set(). The caller's. */
json_t *form_values(const struct call *call, const struct kind *kind, bool adding);

#endif
