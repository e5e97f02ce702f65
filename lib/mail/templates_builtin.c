/* SPDX-License-Identifier: MIT */
/*
 * The built-in templates, for mails whose own is missing or broken: the shipped ones in plain text
 * with the English words (the Makefile takes conf/templates/NAME.txt and en.ini), so the two can't
 * differ. They need no file, so a mail can always be rendered.
 */
#include "mail/template_sources.h"

#include <string.h>

static const struct {
	const char *name, *text;
} files[] = {
#include "builtin_templates.h"
};

void template_sources_add_built_in(struct template_sources *sources, struct arena *arena)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		const char *name = arena_printf(arena, TEMPLATE_BUILT_IN "%s", files[i].name);
		const char *path = arena_printf(arena, "built-in %s", files[i].name);
		template_sources_add(sources, arena, name, path, files[i].text,
		                     strlen(files[i].text));
	}
}
