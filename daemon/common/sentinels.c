/* SPDX-License-Identifier: MIT */
#include "common/sentinels.h"

#include "base/mem.h"

#include <stdlib.h>

struct sentinels *sentinels_copy(const struct sentinels *sentinels)
{
	struct sentinels *copy = mem_alloc(sizeof(*copy));
	copy->service = mem_strdup(sentinels->service);
	copy->places = mem_alloc(sentinels->n * sizeof(*copy->places));
	for (; copy->n < sentinels->n; copy->n++)
		copy->places[copy->n] =
		        (struct sentinel_place){mem_strdup(sentinels->places[copy->n].host),
		                                sentinels->places[copy->n].port};
	return copy;
}

struct sentinels *sentinels_free(struct sentinels *sentinels)
{
	if (!sentinels)
		return NULL;
	for (size_t i = 0; i < sentinels->n; i++)
		free(sentinels->places[i].host);
	free(sentinels->places);
	free(sentinels->service);
	free(sentinels);
	return NULL;
}
