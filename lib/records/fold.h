/* SPDX-License-Identifier: MIT */
#ifndef RECORDS_FOLD_H
#define RECORDS_FOLD_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Text as search compares it: case folded, accents taken off, letters that don't decompose spelt in
 * plain ones (ł ø ı ß æ đ …), runs of white space one space. Appended to `out`. Invalid UTF-8 is
 * left out.
 */
void fold_text(const char *text, size_t len, struct buf *out);
/*
 * All lines that a value is found by, each with a line feed behind it; the first one is as
 * fold_text() has it. Then, where they differ: without punctuation (walmart), with spaces for it
 * (wal mart; not for `compact`), both with German letters spelt out (mueller), and pairs of Chinese
 * and Japanese characters behind FOLD_PAIRS.
 */
#define FOLD_PAIRS '\x01'
void fold_lines(const char *text, size_t len, bool compact, struct buf *out);
/* A word as it is looked for: without punctuation; `spelt` as mueller. */
void fold_word(const char *text, size_t len, bool spelt, struct buf *out);
/* Whether folded text is of Chinese and Japanese characters alone. */
bool fold_is_han(const char *text, size_t len);
/* Only its digits. */
void fold_digits(const char *text, size_t len, struct buf *out);

#endif
