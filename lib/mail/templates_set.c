/* SPDX-License-Identifier: MIT */
/* What is found where in a set of templates: by locale, from the reader's folder to the top one. */
#include "mail/templates_set.h"

#include <string.h>

struct template_partial *template_folder_add(struct arena *arena, struct template_folder *folder,
                                             const char *name, size_t len)
{
	struct template_partial *partial = arena_alloc(arena, sizeof *partial);
	partial->name = arena_strndup(arena, name, len);
	partial->next = folder->partials;
	folder->partials = partial;
	return partial;
}

const struct template_partial *template_folder_partial(const struct template_folder *folder,
                                                       const char *name, bool html)
{
	for (; folder != NULL; folder = folder->behind)
		for (const struct template_partial *p = folder->partials; p != NULL; p = p->next)
			if (p->html == html && strcmp(p->name, name) == 0)
				return p;
	return NULL;
}

const struct phrase *template_folder_phrase(const struct template_folder *folder, const char *key)
{
	const struct phrase *phrase = NULL;
	for (; folder != NULL && phrase == NULL; folder = folder->behind)
		phrase = catalogue_find(folder->catalogue, key);
	return phrase;
}

bool template_folder_is(const struct template_folder *folder, const char *locale, size_t len)
{
	const char *name = folder->locale;
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((name[i] | 32) != ((locale[i] == '_' ? '-' : locale[i]) | 32))
			return false;
	return true;
}

size_t template_locale_shorter(const char *locale, size_t len)
{
	while (len > 0 && locale[len - 1] != '-' && locale[len - 1] != '_')
		len--;
	return len > 0 ? len - 1 : 0;
}

struct template_folder *template_set_folder(const struct templates *templates, const char *locale,
                                            size_t len)
{
	for (;; len = template_locale_shorter(locale, len)) {
		for (struct template_folder *folder = templates->folders; folder != NULL;
		     folder = folder->next)
			if (template_folder_is(folder, locale, len))
				return folder;
		if (len == 0)
			return NULL;
	}
}

const struct template_folder *template_set_mail(const struct templates *templates,
                                                const char *locale, int mail)
{
	for (size_t len = strlen(locale);; len = template_locale_shorter(locale, len)) {
		for (const struct template_folder *folder = templates->folders; folder != NULL;
		     folder = folder->next)
			if (folder->mails[mail].present && template_folder_is(folder, locale, len))
				return folder;
		if (len == 0)
			return NULL;
	}
}

const struct template_folder *template_set_words(const struct templates *templates,
                                                 const struct template_folder *folder,
                                                 const char *locale, int mail)
{
	if (!folder->mails[mail].has_phrases)
		return folder;
	return template_set_folder(templates, locale, strlen(locale));
}
