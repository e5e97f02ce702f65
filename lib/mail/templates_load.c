/* SPDX-License-Identifier: MIT */
/*
 * Reads a directory of templates, its folders for locales and its catalogues, into a set. Every
 * fault is reported and none stops it: the built-in mails replace what is broken, since a mail
 * matters more than its looks.
 */
#include "mail/templates_set.h"
#include "template/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

struct loading {
	struct templates *templates;
	templates_fault *fault;
	void *arg;
	int n_faults;
};

static void report(struct loading *loading, const char *text)
{
	loading->n_faults++;
	if (loading->fault != NULL)
		loading->fault(loading->arg, text);
}

static void report_line(void *arg, const char *text)
{
	report(arg, text);
}

static void load_mail_text(struct loading *loading, const char *path, struct mail_template *mail)
{
	struct buf text = {0};
	struct error err = {0};
	mail->present = true;
	if (!template_read_file(path, &text, &err) ||
	    !mail_template_parse(buf_text(&text), text.len, path, mail, &err)) {
		mail->fault = arena_strdup(loading->templates->arena, err.text);
		report(loading, err.text);
	}
	buf_free(&text);
}

/* A .html of a mail, or any partial: a template from the first line to the last. */
static struct mustache *load_plain(struct loading *loading, const char *path, struct error *err)
{
	struct buf text = {0};
	struct mustache *template = NULL;
	if (template_read_file(path, &text, err))
		template = mustache_parse(buf_text(&text), text.len, path, 1, err);
	if (template == NULL)
		report(loading, err->text);
	buf_free(&text);
	return template;
}

static void load_file(struct loading *loading, struct template_folder *folder, const char *path,
                      const char *name, size_t len, bool html)
{
	struct arena *arena = loading->templates->arena;
	struct error err = {0};
	int index = mail_template_index(name, len);

	if (index >= 0 && !html) {
		load_mail_text(loading, path, &folder->mails[index]);
	} else if (index >= 0) {
		struct mail_template *mail = &folder->mails[index];
		mail->html = load_plain(loading, path, &err);
		if (mail->html == NULL)
			mail->html_fault = arena_strdup(arena, err.text);
	} else {
		struct template_partial *partial = template_folder_add(arena, folder, name, len);
		partial->html = html;
		partial->template = load_plain(loading, path, &err);
		if (partial->template == NULL)
			partial->fault = arena_strdup(arena, err.text);
	}
}

/* "fr", "fr-CA", "zh-Hant-TW", with `_` too. */
static bool is_locale(const char *name)
{
	size_t len =
	        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
	size_t language = strcspn(name, "-_");
	return name[len] == '\0' && len < 36 && language >= 2 && language <= 3;
}

static struct template_folder *add_folder(struct templates *templates, const char *locale)
{
	struct template_folder *folder = arena_alloc(templates->arena, sizeof *folder);
	char *name = arena_strdup(templates->arena, locale);
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '_' ? '-' : *p;
	folder->locale = name;
	struct template_folder **tail = &templates->folders;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = folder;
	return folder;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);
	return len > n && strcmp(name + len - n, ending) == 0;
}

static void load_directory(struct loading *loading, const char *path, const char *locale)
{
	struct template_folder *folder = add_folder(loading->templates, locale);
	struct dirent **entries;
	int n = scandir(path, &entries, visible, alphasort);
	if (n < 0) {
		char text[300];
		(void)snprintf(text, sizeof text, "%.200s: %s", path, strerror(errno));
		report(loading, text);
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char *file = arena_printf(loading->templates->arena, "%s/%s", path, name);
		struct stat st;
		if (stat(file, &st) == 0 && S_ISDIR(st.st_mode)) {
			if (*locale == '\0' && is_locale(name))
				load_directory(loading, file, name);
		} else if (ends_with(name, ".txt")) {
			load_file(loading, folder, file, name, strlen(name) - 4, false);
		} else if (ends_with(name, ".html")) {
			load_file(loading, folder, file, name, strlen(name) - 5, true);
		}
		free(entries[i]);
	}
	free(entries);
}

/* A catalogue lies beside the templates, and belongs to the folder of its locale, there or not. */
static void load_catalogue(struct loading *loading, const char *path, const char *locale)
{
	struct templates *templates = loading->templates;
	struct template_folder *folder = templates->folders;
	struct buf text = {0};
	struct error err = {0};

	while (folder != NULL && !template_folder_is(folder, locale, strlen(locale)))
		folder = folder->next;
	if (folder == NULL)
		folder = add_folder(templates, locale);
	if (template_read_bytes(path, &text, &err))
		folder->catalogue = catalogue_parse(templates->arena, buf_text(&text), text.len,
		                                    path, report_line, loading);
	else
		report(loading, err.text);
	buf_free(&text);
}

static void load_catalogues(struct loading *loading, const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, visible, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		struct arena *arena = loading->templates->arena;
		if (ends_with(name, ".ini")) {
			const char *locale = arena_strndup(arena, name, strlen(name) - 4);
			if (is_locale(locale))
				load_catalogue(loading, arena_printf(arena, "%s/%s", path, name),
				               locale);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void find_phrase(void *arg, const char *name, const char *const *around, size_t n_around)
{
	bool *found = arg;
	(void)around, (void)n_around;
	*found = *found || catalogue_key(name) != NULL;
}

static void find_phrases(struct mail_template *mail)
{
	const struct mustache *const parts[] = {mail->subject, mail->reply_to, mail->text,
	                                        mail->html};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i] != NULL)
			mustache_each_name(parts[i], find_phrase, &mail->has_phrases);
}

/* What each folder lies in front of; the words of the top one are the English ones. */
static void join_folders(struct templates *templates)
{
	for (struct template_folder *folder = templates->folders; folder != NULL;
	     folder = folder->next) {
		size_t len = strlen(folder->locale);
		if (len > 0)
			folder->behind =
			        template_set_folder(templates, folder->locale,
			                            template_locale_shorter(folder->locale, len));
		if (template_folder_is(folder, "en", 2))
			templates->folders->catalogue = folder->catalogue;
		for (size_t i = 0; i < MAIL_TEMPLATES; i++)
			find_phrases(&folder->mails[i]);
	}
}

struct templates *templates_load(const char *directory, templates_fault *fault, void *arg,
                                 int *ret_faults)
{
	struct templates *templates = mem_alloc(sizeof *templates);
	atomic_init(&templates->refs, 1);
	templates->arena = arena_new();
	templates_load_built_in(templates);
	struct loading loading = {.templates = templates, .fault = fault, .arg = arg};
	if (directory != NULL) {
		load_directory(&loading, directory, "");
		load_catalogues(&loading, directory);
		join_folders(templates);
	}
	int missing = templates_check(templates, fault, arg);
	if (ret_faults != NULL)
		*ret_faults = loading.n_faults + missing;
	return templates;
}

struct templates *templates_load_set(const struct settings *settings, templates_fault *fault,
                                     void *arg, int *ret_faults)
{
	const char *directory = settings->mail.templates;
	struct stat st;
	if (stat(directory, &st) == 0)
		return templates_load(directory, fault, arg, ret_faults);
	int error = errno;
	bool bad = error != ENOENT || !settings_has_default(settings, "mail.templates");
	struct templates *templates = templates_load(NULL, fault, arg, ret_faults);
	if (bad && fault != NULL)
		fault(arg, arena_printf(templates->arena, "%s: [mail] templates: %s: %s",
		                        settings_place(settings, "mail.templates"), directory,
		                        strerror(error)));
	if (ret_faults != NULL)
		*ret_faults += bad;
	return templates;
}

bool templates_built_in_only(const struct templates *templates)
{
	return templates->folders == NULL;
}
