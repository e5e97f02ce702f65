/* SPDX-License-Identifier: MIT */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `len` bytes are UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing
 * beyond U+10FFFF. NUL is a character like any other here. */
bool utf8_valid(const char *text, size_t len);

/* How many characters valid text has. */
size_t utf8_length(const char *text, size_t len);

/* Whether valid text holds a control character: U+0000–U+001F, U+007F–U+009F. */
bool utf8_has_control(const char *text, size_t len);

/*
 * A piece of foreign text fit for a message: at most some 60 bytes, cut between characters with
 * "…", every control character and every byte that is not UTF-8 a "?". Returns `quote`.
 */
#define UTF8_QUOTE_MAX 72
const char *utf8_quote(const char *text, size_t len, char quote[UTF8_QUOTE_MAX]);

/*
 * The next character of `text` as a terminal or a log may show it: returns its bytes (1 to 4; 1 for
 * a byte that is not UTF-8), and in `shown` its escape, "" where it can be shown as it is. Escaped
 * are bytes that are not UTF-8 (\xff), control characters (\x1b, \u0085) and invisible ones that
 * change how a line reads: marks and overrides of the direction, line separators, zero-width ones
 * but the joiners (\u202e).
 */
#define UTF8_SHOWN_MAX 11
size_t utf8_show_char(const char *text, size_t left, char shown[UTF8_SHOWN_MAX]);

/* All of `text` like that, cut between characters where it is longer than `size` bytes. Returns
 * `to`. */
const char *utf8_show(const char *text, char *to, size_t size);

#endif
