/* SPDX-License-Identifier: MIT */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `len` bytes are UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing beyond
 * U+10FFFF. NUL is a character like any other here. */
bool utf8_valid(const char *text, size_t len);

/* Whether valid text holds a control character: U+0000–U+001F, U+007F–U+009F. */
bool utf8_has_control(const char *text, size_t len);

/*
 * A piece of foreign text fit for a message: at most some 60 bytes, cut between characters with "…",
 * every control character and every byte that is no UTF-8 a "?". Returns `quote`.
 */
#define UTF8_QUOTE_MAX 72
const char *utf8_quote(const char *text, size_t len, char quote[UTF8_QUOTE_MAX]);

#endif
