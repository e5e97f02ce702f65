/* SPDX-License-Identifier: MIT */
/*
 * The names that a set's templates use, written out in full, for those who look for names that
 * nothing provides. A name within a section is completed by the innermost section that is an object
 * or a list: {{#jobs}}{{#reference}}{{reference}}{{/reference}}{{/jobs}} is jobs.reference twice.
 */
#include "mail/templates_set.h"
#include "template/helpers.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 420, PHRASES_MAX = 4 };

/* The objects and lists that the data has (contract, section 5). A name that begins with one of the
 * top-level ones is complete. */
static const char *const objects[] = {
        "event",           "job",        "jobs",         "customer",     "contact",
        "window",          "timeline",   "company",      "suspension",   "event.data",
        "jobs.customer",   "report",     "reports",      "breaker",      "shares",
        "shares.customer", "shares.job", "shares.state", "shares.source"};

static bool is_object(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
		if (strlen(objects[i]) == len && strncmp(objects[i], name, len) == 0)
			return true;
	return false;
}

struct naming {
	const struct templates *templates;
	void (*each)(void *arg, const char *file, const char *name);
	void *arg;
	const char *file;
	const char
	        *inside; /* of a phrase: the object around the place that reads it; "" for none */
	int n_phrases;   /* in one another */
};

static void complete(void *arg, const char *name, const char *const *around, size_t n_around);

/* A phrase's own names, completed by the place where it is read, in each language. */
static void names_of_phrase(const struct naming *naming, const char *key, const char *inside)
{
	struct naming within = *naming;
	within.inside = inside;
	within.n_phrases++;
	if (within.n_phrases > PHRASES_MAX)
		return;
	const struct template_folder *folder = naming->templates->folders;
	for (; folder != NULL; folder = folder->next) {
		const struct phrase *phrase =
		        *folder->locale != '\0' ? catalogue_find(folder->catalogue, key) : NULL;
		if (phrase == NULL || phrase->text == NULL)
			continue;
		within.file = folder->catalogue->file;
		mustache_each_name(phrase->text, complete, &within);
	}
}

static void complete(void *arg, const char *name, const char *const *around, size_t n_around)
{
	const struct naming *naming = arg;
	char full[NAME_MAX_BYTES];
	const char *inside = naming->inside;

	for (size_t i = 0; i < n_around; i++)
		if (is_object(around[i], strlen(around[i])))
			inside = around[i];
	if (template_helper_is(name))
		return;
	if (catalogue_key(name) != NULL) {
		names_of_phrase(naming, catalogue_key(name), inside);
		return;
	}
	if (is_object(name, strcspn(name, ".")) || *inside == '\0')
		(void)snprintf(full, sizeof full, "%s", name);
	else
		(void)snprintf(full, sizeof full, "%s.%s", inside, name);
	naming->each(naming->arg, naming->file, full);
}

static void names_of(const struct mustache *template, struct naming *naming)
{
	if (template == NULL)
		return;
	naming->file = mustache_file(template);
	mustache_each_name(template, complete, naming);
}

void templates_each_name(const struct templates *templates,
                         void (*each)(void *arg, const char *file, const char *name), void *arg)
{
	struct naming naming = {.templates = templates, .each = each, .arg = arg, .inside = ""};
	for (const struct template_folder *folder = templates->folders; folder != NULL;
	     folder = folder->next) {
		for (size_t i = 0; i < MAIL_TEMPLATES; i++) {
			const struct mail_template *mail = &folder->mails[i];
			names_of(mail->subject, &naming);
			names_of(mail->reply_to, &naming);
			names_of(mail->text, &naming);
			names_of(mail->html, &naming);
		}
		for (const struct template_partial *p = folder->partials; p != NULL; p = p->next)
			names_of(p->template, &naming);
	}
}

const char *templates_mail(size_t i)
{
	return i < MAIL_TEMPLATES ? mail_template_name(i) : NULL;
}

bool templates_has_mail(const char *name)
{
	return mail_template_index(name, strlen(name)) >= 0;
}
