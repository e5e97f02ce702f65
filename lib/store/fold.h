/* SPDX-License-Identifier: MIT */
#ifndef STORE_FOLD_H
#define STORE_FOLD_H

#include "base/buf.h"

#include <stddef.h>

/*
 * Text as search compares it: case folded, accents taken off, letters that don't decompose spelt in
 * plain ones (ł ø ı ß æ đ …), runs of white space one space. Appended to `out`. What is no UTF-8 is
 * left out.
 */
void fold_text(const char *text, size_t len, struct buf *out);
/* Only its digits. */
void fold_digits(const char *text, size_t len, struct buf *out);

#endif
