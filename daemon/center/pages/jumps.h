/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_JUMPS_H
#define CENTER_PAGES_JUMPS_H

#include "model/settings.h"

#include <jansson.h>

/*
 * Where a customer's page leads to besides: {"billing", "dms", "dispatch", "map"}, each the address
 * in the configuration with the customer's fields, percent-encoded, in the place of `{field}`;
 * those that aren't configured are left out. The caller's.
 */
json_t *jumps_of(const struct settings *settings, const json_t *customer);

#endif
