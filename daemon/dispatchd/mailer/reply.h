/* SPDX-License-Identifier: MIT */
#ifndef DISPATCHD_MAILER_REPLY_H
#define DISPATCHD_MAILER_REPLY_H

#include <stddef.h>

/*
 * What a server says, made fit to be kept: one line, valid UTF-8, no control characters (each run
 * of them and of blanks becomes one space), cut between two characters to `size` - 1 bytes.
 */
void reply_clean(char *ret, size_t size, const char *text, size_t len);

/* The enhanced status code (RFC 3463) that a reply's text begins with; zeros and 0 where there is
 * none, else how many bytes it takes with the blanks behind it. */
size_t reply_enhanced(const char *text, int ret[3]);

/* Puts "***" in the place of a secret that a server repeats, and of the beginning of one at the end
 * of a text that was cut. Nothing happens with NULL and with secrets of less than 4 bytes. */
void reply_mask(char *text, const char *secret);

#endif
