/* SPDX-License-Identifier: MIT */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <sodium.h>
#include <stddef.h>

/* Adds a part with its length (8 bytes, little endian) before it: ("ab", "c") and ("a", "bc") are
 * two things. */
void digest_part(crypto_generichash_state *state, const void *bytes, size_t len);

#endif
