/* SPDX-License-Identifier: MIT */
#ifndef MAIL_TEMPLATES_SET_H
#define MAIL_TEMPLATES_SET_H

#include "base/error.h"
#include "base/mem.h"
#include "mail/template_sources.h"
#include "mail/templates.h"
#include "model/job_state.h"
#include "template/catalogue.h"
#include "template/mustache.h"

#include <stdatomic.h>
#include <stddef.h>

/*
 * The parts of a set of templates: only for templates*.c.
 *
 *      templates ─┬─ folder ""  ─┬─ mail dispatched … collision (.txt cut up, .html)
 *                 │              ├─ partials (every other .txt and .html)
 *                 │              └─ catalogue (en.ini)
 *                 ├─ folder "fr" ─ …, each of them only where the admin has one (fr/, fr.ini)
 *                 └─ built_in: a folder of plain texts and English words, always whole
 *
 * Each folder lies in front of another, which has what it lacks: fr-CA, fr, the top one. A mail
 * without words of its own, which are phrases then, is in the language of its reader: its partials
 * and phrases are looked for from the reader's folder on. One with words of its own is in the
 * language of its folder, and so are they.
 */
enum { MAIL_TEMPLATES = JOB_STATE_COUNT + 5 };
/* The states of a job, then those of the office: "collision", "unreachable", "refusals"; and
 * OPT_OUT_ANSWER. */
const char *mail_template_name(size_t i);

struct mail_template {
	bool present;           /* there is a .txt, good or not */
	const char *fault;      /* it doesn't parse: "FILE:LINE: message"; NULL while it is good */
	const char *html_fault; /* the same of the .html */
	bool has_phrases;       /* any of these reads one */
	struct mustache *subject;  /* NULL only if there is a fault */
	struct mustache *reply_to; /* may be NULL */
	struct mustache *text;     /* as the subject */
	struct mustache *html;     /* may be NULL */
};

struct template_partial {
	struct template_partial *next;
	const char *name; /* without its ending */
	bool html;
	struct mustache *template;
	const char *fault; /* it doesn't parse: "FILE:LINE: message"; there is no template then */
};

struct template_folder {
	struct template_folder *next;
	struct template_folder *behind; /* has what this one lacks: fr-CA, fr, the top, NULL */
	const char *locale;             /* "" for the top, "fr-CA" */
	struct mail_template mails[MAIL_TEMPLATES];
	struct template_partial *partials;
	const struct catalogue *catalogue; /* in the set's arena; NULL if there is none */
};

struct templates {
	atomic_int refs;
	struct arena *arena;
	struct template_folder *folders; /* the top one first */
	struct template_folder built_in;
	struct template_sources sources; /* what all of this was made of */
	unsigned char digest[RENDERING_DIGEST_SIZE];
	const char *from; /* `[mail] from` */
};

/* Calls `fault` for each partial that isn't there, each phrase that a catalogue lacks and each that
 * nothing reads, once for each file; returns how many. */
int templates_check(const struct templates *templates, templates_fault *fault, void *arg);

/* ---- mails */

/* Which of these it is; -1 for none. */
int mail_template_index(const char *name, size_t len);

/* Cuts up a .txt: header lines, an empty line, the body. On a fault `mail` is untouched. */
bool mail_template_parse(const char *text, size_t len, const char *file, struct mail_template *mail,
                         struct error *err) MUST_CHECK;

/* Frees what was parsed; the rest is the arena's. */
void mail_template_clear(struct mail_template *mail);

/* ---- folders */

/* One more partial, with its name and nothing else. */
struct template_partial *template_folder_add(struct arena *arena, struct template_folder *folder,
                                             const char *name, size_t len);

/* The partial of that name, here or in a folder behind; NULL for none. */
const struct template_partial *template_folder_partial(const struct template_folder *folder,
                                                       const char *name, bool html);

/* The same for a phrase. */
const struct phrase *template_folder_phrase(const struct template_folder *folder, const char *key);

/* Whether a folder's locale is the first `len` bytes of `locale`, in any case, with `_` for `-`. */
bool template_folder_is(const struct template_folder *folder, const char *locale, size_t len);

/* How much of the first `len` bytes of a locale is the next one to look for: 2 for the 5 of fr-CA,
 * 0 for the top one. */
size_t template_locale_shorter(const char *locale, size_t len);

/* The folder of the longest locale that the first `len` bytes of this one begin with; NULL where
 * there isn't even a top one. */
struct template_folder *template_set_folder(const struct templates *templates, const char *locale,
                                            size_t len);

/* The folder whose mail a reader of that locale gets; NULL if none has it. */
const struct template_folder *template_set_mail(const struct templates *templates,
                                                const char *locale, int mail);

/* Where such a reader's partials and phrases for that mail are looked for from; `folder` has the
 * mail. */
const struct template_folder *template_set_words(const struct templates *templates,
                                                 const struct template_folder *folder,
                                                 const char *locale, int mail);

#endif
