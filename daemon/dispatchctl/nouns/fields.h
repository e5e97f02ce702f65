/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_FIELDS_H
#define DISPATCHCTL_NOUNS_FIELDS_H

#include "dispatchctl/base/ctl.h"
#include "model/kind.h"

/*
 * The given fields, by column name, as an object for the store: an empty value becomes null, which
 * clears the field; days and times may be `today`, `+30d`. The caller owns it; NULL on a fault.
 */
json_t *fields_given(const struct ctl *ctl, struct error *err) MUST_CHECK;

/* The record's name after a change: the field's text as the store keeps it, trimmed. NULL if the
 * field isn't among the values. In the run's arena. */
const char *fields_name(const struct ctl *ctl, const json_t *values, const char *field);

#endif
