/* SPDX-License-Identifier: MIT */
#ifndef COMMON_SENTINELS_H
#define COMMON_SENTINELS_H

#include "base/error.h"

#include <stddef.h>

/* Where the sentinels of a service are; common/sentinel.h asks them. */
struct sentinel_place {
	char *host;
	int port;
};

struct sentinels {
	char *service;
	struct sentinel_place *places;
	size_t n;
};

struct sentinels *sentinels_copy(const struct sentinels *sentinels) MUST_CHECK;
struct sentinels *sentinels_free(struct sentinels *sentinels); /* takes NULL; returns NULL */

#endif
