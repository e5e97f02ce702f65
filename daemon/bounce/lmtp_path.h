/* SPDX-License-Identifier: MIT */
#ifndef BOUNCE_LMTP_PATH_H
#define BOUNCE_LMTP_PATH_H

/*
 * Reads "FROM:<address>" or "TO:<address>" (RFC 5321, section 4.1.2), `word` being what is before
 * the path, in any case. A source route is left out; spaces before `<` are forgiven, and so is a
 * missing pair of brackets. `ret` gets the address, "" for `<>`: no control characters in it, and
 * it has an `@`. Returns what is behind it; NULL where it is none, `ret` is untouched then.
 */
enum { LMTP_PATH_MAX = 320 };
const char *lmtp_path(const char *text, const char *word, char ret[LMTP_PATH_MAX + 1]);

#endif
