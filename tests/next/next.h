/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NEXT_H
#define TESTS_NEXT_H

#include <stdbool.h>

/* Whether the two schemas are those of the next version; a test of both sets it before each call.
 */
extern bool schemas_are_next;

#endif
