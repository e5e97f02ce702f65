/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_CHOICE_H
#define CENTER_PAGES_CHOICE_H

#include <jansson.h>

/* Appends to the choices of a <select>: {value, label, selected}. `chosen` may be NULL: none is. */
void choice_add(json_t *choices, const char *value, const char *label, const char *chosen);

#endif
