/* SPDX-License-Identifier: MIT */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* As vsnprintf(), with what nearly all our texts are made of (%s, %d, %lld) at a tenth of its cost.
 * Any other format is vsnprintf()'s. */
int format_text(char *to, size_t size, const char *fmt, va_list args);

/* Decimal digits into the end of `text`. Returns where they begin; a NUL ends them. */
enum { INTEGER_TEXT_MAX = 24 };
char *format_integer(int64_t value, char text[INTEGER_TEXT_MAX]);

#endif
