/* SPDX-License-Identifier: MIT */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/*
 * The known name that a person most likely meant: the one with the fewest letters typed wrong, left
 * out, put in or swapped, if they are few for its length. Start from `{.typed = …}`, give it every
 * known name, then read `name` (NULL where none is near).
 */
struct nearest {
	const char *typed;
	const char *name;
	size_t distance;
};
void nearest_try(struct nearest *nearest, const char *name);

#endif
