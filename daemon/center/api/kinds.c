/* SPDX-License-Identifier: MIT */
#include "center/api/kinds.h"

#include <string.h>

const char *kinds_path(const struct kind *kind, struct arena *arena)
{
	char *word = arena_strdup(arena, kind->many);
	for (char *c = word; *c != '\0'; c++)
		if (*c == ' ')
			*c = '-';
	return word;
}

const struct kind *kinds_by_path(const char *word, struct arena *arena)
{
	for (size_t i = 0; i < n_kinds; i++)
		if (!kinds[i].is_customer && strcmp(kinds_path(&kinds[i], arena), word) == 0)
			return &kinds[i];
	return NULL;
}
