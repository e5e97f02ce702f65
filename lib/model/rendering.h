/* SPDX-License-Identifier: MIT */
#ifndef MODEL_RENDERING_H
#define MODEL_RENDERING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How a mail was rendered: by which set of templates (mail/templates.h), and what came out. With
 * the set and the mail's data the same bytes are made again, and the digest proves that they are
 * the same.
 */
enum { RENDERING_DIGEST_SIZE = 16 };
struct rendering {
	bool known; /* else the rest means nothing */
	unsigned char templates[RENDERING_DIGEST_SIZE];
	unsigned char message[RENDERING_DIGEST_SIZE];
};

void rendering_set(struct rendering *rendering,
                   const unsigned char templates[RENDERING_DIGEST_SIZE], const void *message,
                   size_t len);
/* Whether these are the bytes that were rendered. */
bool rendering_made(const struct rendering *rendering, const void *message, size_t len);

#endif
