/* SPDX-License-Identifier: MIT */
/*
 * The built-in letters, for mails whose own template is missing or broken: the shipped English ones in
 * plain text (conf/templates/NAME.txt, by the Makefile), so the two can't differ. They need no file, so a
 * mail can always be made.
 */
#include "mail/templates_set.h"

#include <string.h>

static const struct {
	const char *name, *text;
} files[] = {
#include "letters.h"
};

static void add(struct templates *templates, const char *name, const char *text)
{
	struct template_folder *folder = &templates->built_in;
	const char *file = arena_printf(templates->arena, "built-in %s.txt", name);
	int index = template_letter_index(name, strlen(name));
	struct mustache *partial = NULL;
	struct error err = {0};
	bool ok;

	if (index >= 0) {
		ok = template_letter_parse(text, strlen(text), file, &folder->letters[index], &err);
	} else {
		partial = mustache_parse(text, strlen(text), file, 1, &err);
		ok = partial != NULL;
	}
	if (!ok)
		bug("%s", err.text);
	if (partial != NULL)
		template_folder_add(templates->arena, folder, name, strlen(name))->template = partial;
}

void templates_load_built_in(struct templates *templates)
{
	templates->built_in.locale = "";
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		add(templates, files[i].name, files[i].text);
	for (size_t i = 0; i < TEMPLATE_LETTERS; i++)
		if (!templates->built_in.letters[i].present)
			bug("there is no built-in %s", template_letter_names[i]);
}
