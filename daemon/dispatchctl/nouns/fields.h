/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_NOUNS_FIELDS_H
#define DISPATCHCTL_NOUNS_FIELDS_H

#include "dispatchctl/base/ctl.h"
#include "model/kind.h"

/*
 * The fields that were given, by column name, as the object that the store takes: an empty value
 * becomes null, which clears the field; days and times may be `today`, `+30d`. The caller owns it;
 * NULL on a fault.
 */
json_t *fields_given(const struct ctl *ctl, struct error *err) MUST_CHECK;

/* What a record is called by once it has these values: the field's text as the store keeps it,
 * without blanks around. NULL where it isn't among them. In the run's arena. */
const char *fields_name(const struct ctl *ctl, const json_t *values, const char *field);

#endif
