/* SPDX-License-Identifier: MIT */
#include "center/api/kinds.h"

#include <string.h>

const char *kinds_path(const struct kind *kind, struct arena *arena)
{
	size_t len = strlen(kind->name);
	return kind->name[len - 1] == 'y' ? arena_printf(arena, "%.*sies", (int)len - 1, kind->name)
	                                  : arena_printf(arena, "%ss", kind->name);
}

const struct kind *kinds_by_path(const char *word, struct arena *arena)
{
	for (size_t i = 0; i < n_kinds; i++)
		if (!kinds[i].is_customer && strcmp(kinds_path(&kinds[i], arena), word) == 0)
			return &kinds[i];
	return NULL;
}
