/* SPDX-License-Identifier: MIT */
#include "engine/turn_output.h"

#include <stdlib.h>

struct publications *publications_new(size_t max)
{
	struct publications *publications = mem_alloc(sizeof *publications);
	publications->arena = arena_new();
	publications->rows = arena_new_array(publications->arena, max, struct publication);
	return publications;
}

struct publications *publications_free(struct publications *publications)
{
	if (publications != NULL)
		arena_free(publications->arena);
	free(publications);
	return NULL;
}

struct office_writes *office_writes_free(struct office_writes *writes)
{
	if (writes != NULL)
		arena_free(writes->arena);
	free(writes);
	return NULL;
}

void turn_output_report(struct turn_output *out, int level, bool each, const char *text)
{
	if (out->arena == NULL)
		out->arena = arena_new();
	out->reports = arena_grow(out->arena, out->reports, out->n_reports, &out->cap_reports,
	                          sizeof *out->reports);
	out->reports[out->n_reports++] =
	        (struct turn_report){level, each, arena_strdup(out->arena, text)};
}

void turn_output_clear(struct turn_output *out)
{
	for (size_t i = 0; i < out->n_outgoing; i++)
		outgoing_mail_free(out->outgoing[i]);
	publications_free(out->publications);
	office_writes_free(out->office_writes);
	arena_free(out->arena);
	*out = (struct turn_output){0};
}
