/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <stdint.h>

void digest_part(crypto_generichash_state *state, const void *bytes, size_t len)
{
	unsigned char prefix[8];
	for (size_t i = 0; i < sizeof prefix; i++)
		prefix[i] = (unsigned char)((uint64_t)len >> (8 * i));
	crypto_generichash_update(state, prefix, sizeof prefix);
	crypto_generichash_update(state, bytes, len);
}
