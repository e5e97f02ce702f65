/* SPDX-License-Identifier: MIT */
/*
 * Finds what a set of templates lacks even though each file is valid by itself: missing partials,
 * missing phrases, unused phrases. For `dispatchd -t` and the log; mails are sent anyway, with the
 * English phrase instead of a missing one.
 */
#include "mail/templates_set.h"

#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

/* What was reported or visited already: a fault counts once, however many templates have it. */
struct seen {
	struct seen *next;
	const void *where; /* the catalogue or template */
	const char *what;  /* the key; "" for a template */
};

struct check {
	const struct templates *templates;
	templates_fault *fault;
	void *arg;
	int n_faults;
	struct arena *arena; /* for as long as the check takes */
	struct seen *missing;
	/* The readers and the template at hand. */
	const struct template_folder *reader;
	const struct template_folder
	        *words; /* where the template's partials and phrases come from */
	const char *file;
	bool html;
	struct seen *visited; /* for this mail */
};

static void report(struct check *check, const char *text)
{
	check->n_faults++;
	if (check->fault != NULL)
		check->fault(check->arg, text);
}

/* Adds it; whether it was there before. */
static bool seen_before(struct check *check, struct seen **list, const void *where,
                        const char *what)
{
	for (const struct seen *s = *list; s != NULL; s = s->next)
		if (s->where == where && strcmp(s->what, what) == 0)
			return true;
	struct seen *s = arena_alloc(check->arena, sizeof *s);
	*s = (struct seen){.next = *list, .where = where, .what = what};
	*list = s;
	return false;
}

/* ---- partials: a missing one prints nothing, which is rarely intended */

static void check_partial(void *arg, const char *name, int line)
{
	struct check *check = arg;
	if (template_folder_partial(check->words, name, check->html) != NULL)
		return;
	char text[400];
	const char *kind = check->html ? "html" : "txt";
	(void)snprintf(text, sizeof text,
	               mail_template_index(name, strlen(name)) >= 0
	                       ? "%.200s:%d: %.80s.%s is a mail of its own and can't be included"
	                       : "%.200s:%d: missing part %.80s.%s",
	               check->file, line, name, kind);
	report(check, text);
}

static void check_partials_of(struct check *check, const struct mustache *template, bool html)
{
	if (template == NULL)
		return;
	check->file = mustache_file(template);
	check->html = html;
	mustache_each_partial(template, check_partial, check);
}

static void check_partials(struct check *check, const struct template_folder *folder)
{
	check->words = folder;
	for (size_t i = 0; i < MAIL_TEMPLATES; i++) {
		const struct mail_template *mail = &folder->mails[i];
		check_partials_of(check, mail->subject, false);
		check_partials_of(check, mail->reply_to, false);
		check_partials_of(check, mail->text, false);
		check_partials_of(check, mail->html, true);
	}
	for (const struct template_partial *p = folder->partials; p != NULL; p = p->next)
		check_partials_of(check, p->template, p->html);
}

/* ---- phrases that a catalogue lacks: all that its readers' mails have is looked up as for a mail
 */

/* English words, which the top folder has, replace those of another language, but are missing
 * there. */
static const struct template_folder *next_of_language(const struct template_folder *folder)
{
	folder = folder->behind;
	return folder != NULL && *folder->locale != '\0' ? folder : NULL;
}

static const struct phrase *find_own(const struct template_folder *folder, const char *key)
{
	const struct phrase *phrase = NULL;
	for (; folder != NULL && phrase == NULL; folder = next_of_language(folder))
		phrase = catalogue_find(folder->catalogue, key);
	return phrase;
}

/* The one that should be whole: de.ini for a reader of de-AT, whose own has but what differs. NULL
 * where the language has none: then the words are English. */
static const struct catalogue *language_catalogue(const struct template_folder *folder)
{
	const struct catalogue *catalogue = NULL;
	for (; folder != NULL; folder = next_of_language(folder))
		if (folder->catalogue != NULL)
			catalogue = folder->catalogue;
	return catalogue;
}

static void visit(struct check *check, const struct mustache *template);

static void visit_name(void *arg, const char *name, const char *const *around, size_t n_around)
{
	struct check *check = arg;
	const char *key = catalogue_key(name);
	(void)around, (void)n_around;
	if (key == NULL)
		return;
	const struct catalogue *own = language_catalogue(check->words);
	const struct phrase *phrase = find_own(check->words, key);
	if (own == NULL) {
		own = check->templates->folders->catalogue;
		phrase = catalogue_find(own != NULL ? own : check->templates->built_in.catalogue,
		                        key);
	}
	if (phrase != NULL) {
		if (phrase->text != NULL)
			visit(check, phrase->text);
		return;
	}
	if (seen_before(check, &check->missing, own, arena_strdup(check->arena, key)))
		return;
	char text[500];
	if (own != NULL)
		(void)snprintf(text, sizeof text,
		               "%.200s: missing phrase \"%.100s\", which %.150s needs", own->file,
		               key, check->file);
	else
		(void)snprintf(text, sizeof text, "%.200s: no catalogue has the phrase \"%.100s\"",
		               check->file, key);
	report(check, text);
}

static void visit_partial(void *arg, const char *name, int line)
{
	struct check *check = arg;
	(void)line;
	const struct template_partial *p = template_folder_partial(check->words, name, check->html);
	if (p != NULL && p->template != NULL)
		visit(check, p->template);
}

static void visit(struct check *check, const struct mustache *template)
{
	if (seen_before(check, &check->visited, template, check->html ? "html" : ""))
		return;
	const char *outer = check->file;
	check->file = mustache_file(template);
	mustache_each_name(template, visit_name, check);
	mustache_each_partial(template, visit_partial, check);
	check->file = outer;
}

static void visit_mail(struct check *check, int index)
{
	const char *locale = check->reader->locale;
	const struct template_folder *folder = template_set_mail(check->templates, locale, index);
	if (folder == NULL)
		return;
	const struct mail_template *mail = &folder->mails[index];
	const struct mustache *const parts[] = {mail->subject, mail->reply_to, mail->text,
	                                        mail->html};
	check->words = template_set_words(check->templates, folder, locale, index);
	check->visited = NULL;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		check->html = i == 3;
		if (parts[i] != NULL)
			visit(check, parts[i]);
	}
}

static void check_missing(struct check *check, const struct template_folder *reader)
{
	check->reader = reader;
	for (int i = 0; i < MAIL_TEMPLATES; i++)
		visit_mail(check, i);
}

/* ---- unused phrases: mostly misspelled keys */

struct search {
	const char *key;
	bool found;
};

static void search_name(void *arg, const char *name, const char *const *around, size_t n_around)
{
	struct search *search = arg;
	const char *key = catalogue_key(name);
	(void)around, (void)n_around;
	search->found |= key != NULL && strcmp(key, search->key) == 0;
}

static void search_template(struct search *search, const struct mustache *template)
{
	if (template != NULL && !search->found)
		mustache_each_name(template, search_name, search);
}

static bool is_read(const struct templates *templates, const char *key)
{
	struct search search = {.key = key};
	for (const struct template_folder *f = templates->folders; f != NULL; f = f->next) {
		for (size_t i = 0; i < MAIL_TEMPLATES; i++) {
			search_template(&search, f->mails[i].subject);
			search_template(&search, f->mails[i].reply_to);
			search_template(&search, f->mails[i].text);
			search_template(&search, f->mails[i].html);
		}
		for (const struct template_partial *p = f->partials; p != NULL; p = p->next)
			search_template(&search, p->template);
		for (size_t i = 0; f->catalogue != NULL && i < f->catalogue->n_phrases; i++)
			search_template(&search, f->catalogue->phrases[i].text);
	}
	return search.found;
}

static void check_unknown(struct check *check, const struct catalogue *catalogue)
{
	const struct catalogue *known = check->templates->built_in.catalogue;
	for (size_t i = 0; i < catalogue->n_phrases; i++) {
		const struct phrase *phrase = &catalogue->phrases[i];
		struct nearest nearest = {.typed = phrase->key};
		char text[400];
		if (catalogue_find(known, phrase->key) != NULL ||
		    is_read(check->templates, phrase->key))
			continue;
		for (size_t k = 0; k < known->n_phrases; k++)
			nearest_try(&nearest, known->phrases[k].key);
		int n = snprintf(text, sizeof text, "%.200s:%d: unknown phrase \"%.60s\"",
		                 catalogue->file, phrase->line, phrase->key);
		if (nearest.name != NULL)
			(void)snprintf(text + n, sizeof text - (size_t)n, "; did you mean \"%s\"?",
			               nearest.name);
		report(check, text);
	}
}

int templates_check(const struct templates *templates, templates_fault *fault, void *arg)
{
	struct check check = {
	        .templates = templates, .fault = fault, .arg = arg, .arena = arena_new()};
	const struct template_folder *folder;
	for (folder = templates->folders; folder != NULL; folder = folder->next)
		check_partials(&check, folder);
	for (folder = templates->folders; folder != NULL; folder = folder->next)
		check_missing(&check, folder);
	for (folder = templates->folders; folder != NULL; folder = folder->next)
		if (folder->catalogue != NULL &&
		    *folder->locale != '\0') /* the top one's is en's */
			check_unknown(&check, folder->catalogue);
	arena_free(check.arena);
	return check.n_faults;
}
