/* SPDX-License-Identifier: MIT */
/*
 * Makes a set of its sources: those in a directory, or those that a set was made of before. Every
 * fault is reported and none stops it: the built-in mails replace what is broken, since a mail
 * matters more than its looks.
 */
#include "mail/templates_set.h"
#include "template/file.h"

#include <errno.h>
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

/* What a source holds, if it was read and is text. */
static bool is_text(const struct template_source *source, struct error *err)
{
	if (source->text == NULL)
		return error_set(err, EX_IOERR, "%s", source->fault);
	return template_check_text(source->text, source->len, source->path, err);
}

static void load_mail_text(struct loading *loading, const struct template_source *source,
                           struct mail_template *mail)
{
	struct error err = {0};
	mail->present = true;
	if (!is_text(source, &err) ||
	    !mail_template_parse(source->text, source->len, source->path, mail, &err)) {
		mail->fault = arena_strdup(loading->templates->arena, err.text);
		report(loading, err.text);
	}
}

/* A .html of a mail, or any partial: a template from the first line to the last. */
static struct mustache *load_plain(struct loading *loading, const struct template_source *source,
                                   struct error *err)
{
	struct mustache *template = NULL;
	if (is_text(source, err))
		template = mustache_parse(source->text, source->len, source->path, 1, err);
	if (template == NULL)
		report(loading, err->text);
	return template;
}

/* `name` is that of the file in its folder, `len` without its ending. */
static void load_template(struct loading *loading, struct template_folder *folder,
                          const struct template_source *source, const char *name, size_t len)
{
	struct arena *arena = loading->templates->arena;
	struct error err = {0};
	int index = mail_template_index(name, len);
	bool html = strcmp(name + len, ".html") == 0;

	if (index >= 0 && !html) {
		load_mail_text(loading, source, &folder->mails[index]);
	} else if (index >= 0) {
		struct mail_template *mail = &folder->mails[index];
		mail->html = load_plain(loading, source, &err);
		if (mail->html == NULL)
			mail->html_fault = arena_strdup(arena, err.text);
	} else {
		struct template_partial *partial = template_folder_add(arena, folder, name, len);
		partial->html = html;
		partial->template = load_plain(loading, source, &err);
		if (partial->template == NULL)
			partial->fault = arena_strdup(arena, err.text);
	}
}

static struct template_folder *add_folder(struct templates *templates, const char *locale,
                                          size_t len)
{
	struct template_folder *folder = arena_alloc(templates->arena, sizeof *folder);
	char *name = arena_strndup(templates->arena, locale, len);
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '_' ? '-' : *p;
	folder->locale = name;
	struct template_folder **tail = &templates->folders;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = folder;
	return folder;
}

static struct template_folder *folder_of(struct templates *templates, const char *locale,
                                         size_t len)
{
	struct template_folder *folder = templates->folders;
	while (folder != NULL && !template_folder_is(folder, locale, len))
		folder = folder->next;
	return folder != NULL ? folder : add_folder(templates, locale, len);
}

/* A catalogue lies beside the templates, and belongs to the folder of its locale, there or not. */
static void load_catalogue(struct loading *loading, struct template_folder *folder,
                           const struct template_source *source)
{
	if (source->text != NULL)
		folder->catalogue =
		        catalogue_parse(loading->templates->arena, source->text, source->len,
		                        source->path, report_line, loading);
	else
		report(loading, source->fault);
}

/* `name` is that of the file in its folder. */
static void load_file(struct loading *loading, struct template_folder *folder,
                      const struct template_source *source, const char *name)
{
	const char *ending = strrchr(name, '.');
	if (ending != NULL && strcmp(ending, ".ini") == 0)
		load_catalogue(loading, folder, source);
	else if (ending != NULL)
		load_template(loading, folder, source, name, (size_t)(ending - name));
}

static void load_source(struct loading *loading, const struct template_source *source)
{
	struct templates *templates = loading->templates;
	const char *slash = strchr(source->name, '/'), *ending = strrchr(source->name, '.');
	const char *name = slash != NULL ? slash + 1 : source->name;
	size_t len = slash != NULL ? (size_t)(slash - source->name) : 0;

	if (*source->name == '\0')
		report(loading, source->fault);
	else if (strcmp(name, TEMPLATE_FROM) == 0)
		templates->from = source->text;
	else if (strncmp(source->name, TEMPLATE_BUILT_IN, strlen(TEMPLATE_BUILT_IN)) == 0)
		load_file(loading, &templates->built_in, source, name);
	else if (slash == NULL && ending != NULL && strcmp(ending, ".ini") == 0)
		load_file(loading, folder_of(templates, name, (size_t)(ending - name)), source,
		          name);
	else
		load_file(loading, folder_of(templates, source->name, len), source, name);
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

/* Those that every version had which kept its sets; one that is missing behind them is of a mail
 * that the version didn't make. */
enum { FIRST_TEMPLATES = JOB_STATE_COUNT + 1 };

/* The first `n` built-in ones are there: what is left of a set without them can't fall back to
 * anything. */
static bool is_whole(const struct template_folder *built_in, size_t n)
{
	bool whole = built_in->catalogue != NULL;
	for (size_t i = 0; i < n; i++)
		whole = whole && built_in->mails[i].present;
	return whole;
}

static struct templates *templates_new(void)
{
	struct templates *templates = mem_alloc(sizeof *templates);
	atomic_init(&templates->refs, 1);
	templates->arena = arena_new();
	templates->built_in.locale = "";
	templates->from = "";
	return templates;
}

static void load_sources(struct loading *loading, size_t first)
{
	const struct template_sources *sources = &loading->templates->sources;
	for (size_t i = first; i < sources->n; i++)
		load_source(loading, &sources->rows[i]);
}

struct templates *templates_load(const char *directory, const char *from, templates_fault *fault,
                                 void *arg, int *ret_faults)
{
	struct templates *templates = templates_new();
	struct template_sources *sources = &templates->sources;
	struct loading loading = {.templates = templates};
	template_sources_add(sources, templates->arena, TEMPLATE_FROM, "", from, strlen(from));
	template_sources_add_built_in(sources, templates->arena);
	load_sources(&loading, 0);
	if (loading.n_faults > 0 || !is_whole(&templates->built_in, MAIL_TEMPLATES))
		bug("the built-in templates are broken");
	loading = (struct loading){.templates = templates, .fault = fault, .arg = arg};
	if (directory != NULL) {
		size_t first = sources->n;
		add_folder(templates, "", 0);
		template_sources_read(sources, templates->arena, directory);
		load_sources(&loading, first);
		join_folders(templates);
	}
	template_sources_digest(sources, templates->digest);
	int missing = templates_check(templates, fault, arg);
	if (ret_faults != NULL)
		*ret_faults = loading.n_faults + missing;
	return templates;
}

struct templates *templates_restore(const struct template_sources *sources, struct error *err)
{
	struct templates *templates = templates_new();
	struct loading loading = {.templates = templates};
	for (size_t i = 0; i < sources->n; i++)
		template_sources_copy(&templates->sources, templates->arena, &sources->rows[i]);
	add_folder(templates, "", 0);
	load_sources(&loading, 0);
	join_folders(templates);
	template_sources_digest(&templates->sources, templates->digest);
	if (is_whole(&templates->built_in, FIRST_TEMPLATES))
		return templates;
	error_set(err, EX_DATAERR, "the set of templates is incomplete");
	return templates_unref(templates);
}

const struct template_sources *templates_sources(const struct templates *templates)
{
	return &templates->sources;
}

const unsigned char *templates_digest(const struct templates *templates)
{
	return templates->digest;
}

struct templates *templates_load_set(const struct settings *settings, templates_fault *fault,
                                     void *arg, int *ret_faults)
{
	const char *directory = settings->mail.templates;
	struct stat st;
	if (stat(directory, &st) == 0)
		return templates_load(directory, settings->mail.from, fault, arg, ret_faults);
	int error = errno;
	bool bad = error != ENOENT || !settings_has_default(settings, "mail.templates");
	struct templates *templates =
	        templates_load(NULL, settings->mail.from, fault, arg, ret_faults);
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
