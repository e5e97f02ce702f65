/* SPDX-License-Identifier: MIT */
#ifndef BASE_JSONMEND_H
#define BASE_JSONMEND_H

#include "base/jsontext.h"

/* Private to base/json*.c. */

enum jsonmend_what { JSONMEND_WHOLE_NUMBERS, JSONMEND_ALL };

/*
 * Appends the text to `out` with quotes around each whole number beyond 64 bits; with JSONMEND_ALL,
 * also with \ufffd for \u0000 and for each half of a surrogate pair, of which `mended` hears where
 * it is not NULL. What is not JSON is copied and stays a fault.
 */
void jsonmend(const char *text, size_t len, enum jsonmend_what what, jsontext_mended *mended,
              void *arg, struct buf *out);

#endif
