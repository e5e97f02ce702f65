/* SPDX-License-Identifier: MIT */
#include "engine/mail_templates.h"

#include "db/fields.h"
#include "engine/engine_private.h"

#include <string.h>

static void add_source(struct buf *files, const struct template_source *source, struct arena *arena)
{
	struct entry_field field = {.name = template_source_key(source, arena)};
	field.name_len = strlen(field.name);
	field.value = template_source_value(source, &field.value_len);
	fields_add_bytes(files, &field);
}

void engine_keep_templates(struct engine *engine)
{
	struct buf files = {0};
	if (engine->templates == NULL || engine->templates_kept)
		return;
	const struct template_sources *sources = templates_sources(engine->templates);
	for (size_t i = 0; i < sources->n; i++)
		add_source(&files, &sources->rows[i], engine->arena);
	spool_templates_keep(engine->spool, templates_digest(engine->templates), &files,
	                     engine->now);
	buf_free(&files);
}
