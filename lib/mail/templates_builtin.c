/* SPDX-License-Identifier: MIT */
/*
 * The built-in templates, for mails whose own is missing or broken: the shipped ones in plain text
 * with the English words (the Makefile takes conf/templates/NAME.txt and en.ini), so the two can't
 * differ. They need no file, so a mail can always be rendered.
 */
#include "mail/templates_set.h"

#include <string.h>

static const struct {
	const char *name, *text;
} files[] = {
#include "builtin_templates.h"
};

static void break_off(void *arg, const char *text)
{
	(void)arg;
	bug("%s", text);
}

static void add_mail(const char *text, const char *file, struct mail_template *mail)
{
	struct error err = {0};
	if (!mail_template_parse(text, strlen(text), file, mail, &err))
		bug("%s", err.text);
}

static void add_partial(struct templates *templates, const char *name, const char *text,
                        const char *file)
{
	struct error err = {0};
	struct template_partial *partial =
	        template_folder_add(templates->arena, &templates->built_in, name, strlen(name));
	partial->template = mustache_parse(text, strlen(text), file, 1, &err);
	if (partial->template == NULL)
		bug("%s", err.text);
}

static void add(struct templates *templates, const char *name, const char *text)
{
	struct template_folder *folder = &templates->built_in;
	size_t stem = strcspn(name, ".");
	const char *file = arena_printf(templates->arena, "built-in %s", name);
	int index = mail_template_index(name, stem);

	if (strcmp(name + stem, ".ini") == 0)
		folder->catalogue = catalogue_parse(templates->arena, text, strlen(text), file,
		                                    break_off, NULL);
	else if (index >= 0)
		add_mail(text, file, &folder->mails[index]);
	else
		add_partial(templates, arena_strndup(templates->arena, name, stem), text, file);
}

void templates_load_built_in(struct templates *templates)
{
	templates->built_in.locale = "";
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		add(templates, files[i].name, files[i].text);
	if (templates->built_in.catalogue == NULL)
		bug("there is no built-in catalogue");
	for (size_t i = 0; i < MAIL_TEMPLATES; i++)
		if (!templates->built_in.mails[i].present)
			bug("there is no built-in %s", mail_template_name(i));
}
