/* SPDX-License-Identifier: MIT */
#ifndef CENTER_API_KINDS_H
#define CENTER_API_KINDS_H

#include "base/mem.h"
#include "model/kind.h"

/* The record kinds as paths name them, by the plural of the noun: `third-parties` for the kind
 * third-party. NULL where there is no such kind, or it is the customers'. */
const struct kind *kinds_by_path(const char *word, struct arena *arena);
const char *kinds_path(const struct kind *kind, struct arena *arena);

#endif
