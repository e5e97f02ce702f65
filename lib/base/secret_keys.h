/* SPDX-License-Identifier: MIT */
#ifndef BASE_SECRET_KEYS_H
#define BASE_SECRET_KEYS_H

#include "base/error.h"

#include <stddef.h>

enum { SECRET_KEY_SIZE = 32 };

/*
 * Reads keys, one a line as 64 hex digits, with or without space around them; blank lines and those
 * that begin with # don't count. How many; 0 on a fault, such as no key or more than `max`: `err`
 * (code 78) names `path` and the line, never what is in it. Wipe `ret` in the end, also on a fault.
 */
size_t secret_keys_parse(const char *text, size_t len, const char *path, size_t max,
                         unsigned char ret[][SECRET_KEY_SIZE], struct error *err);

#endif
