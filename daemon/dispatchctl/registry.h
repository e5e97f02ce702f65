/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHCTL_REGISTRY_H
#define DISPATCHCTL_REGISTRY_H

#include "dispatchctl/base/command.h"

/* All nouns in the order in which help lists them. */
const struct noun *const *nouns_all(size_t *ret_n);

/* By name. NULL if there is none; `err` then suggests the nearest known name. */
const struct noun *noun_find(const char *name, struct error *err) MUST_CHECK;

#endif
