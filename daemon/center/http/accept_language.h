/* SPDX-License-Identifier: MIT */
#ifndef CENTER_HTTP_ACCEPT_LANGUAGE_H
#define CENTER_HTTP_ACCEPT_LANGUAGE_H

#include <stddef.h>

/*
 * Which of `n` languages ("en", "de", in lower case) an Accept-Language header prefers (RFC 9110,
 * section 12.5.4): the one with the greatest weight, of several the one named first. `de-AT` means
 * `de` (RFC 4647, section 3.4); `*` means those that nothing else names. What can't be read is
 * passed over. `header` may be NULL. The index; 0 where none is acceptable.
 */
size_t accept_language(const char *header, const char *const *languages, size_t n);

#endif
