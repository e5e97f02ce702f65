/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_SYSTEMS_H
#define CENTER_PAGES_SYSTEMS_H

#include "center/entry/call.h"

#include <jansson.h>

/*
 * The fields that an admin has defined for a type of systems are inputs like those of the kinds'
 * table. A secret's input is empty: left so, it keeps its value.
 */

/* Appends those of the type in `values` (a system, or what was typed); and where `adding` makes a
 * choice of the input `type`. `fault` may be NULL; it shows at the field that its text names. */
void systems_inputs(struct call *call, const json_t *values, bool adding, const struct error *fault,
                    json_t *inputs);
/* Adds to `values` what was typed into them. */
void systems_values(const struct call *call, json_t *values);

#endif
