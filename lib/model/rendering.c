/* SPDX-License-Identifier: MIT */
#include "model/rendering.h"

#include <sodium.h>
#include <string.h>

static void digest(unsigned char ret[RENDERING_DIGEST_SIZE], const void *message, size_t len)
{
	(void)crypto_generichash(ret, RENDERING_DIGEST_SIZE, message, len, NULL, 0);
}

void rendering_set(struct rendering *rendering,
                   const unsigned char templates[RENDERING_DIGEST_SIZE], const void *message,
                   size_t len)
{
	rendering->known = true;
	memcpy(rendering->templates, templates, sizeof rendering->templates);
	digest(rendering->message, message, len);
}

bool rendering_made(const struct rendering *rendering, const void *message, size_t len)
{
	unsigned char made[RENDERING_DIGEST_SIZE];
	digest(made, message, len);
	return rendering->known && memcmp(made, rendering->message, sizeof made) == 0;
}
