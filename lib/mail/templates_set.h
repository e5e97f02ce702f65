/* SPDX-License-Identifier: MIT */
#ifndef MAIL_TEMPLATES_SET_H
#define MAIL_TEMPLATES_SET_H

#include "base/error.h"
#include "base/mem.h"
#include "mail/templates.h"
#include "template/mustache.h"

#include <stdatomic.h>
#include <stddef.h>

/*
 * What a set of templates is made of: for templates*.c alone.
 *
 *      templates ─┬─ folder ""  ─┬─ letter dispatched … collision (.txt cut up, .html)
 *                 │              └─ partials (every other .txt and .html)
 *                 ├─ folder "fr" ─ …
 *                 └─ built_in: a folder of plain texts, always whole
 */
enum { TEMPLATE_LETTERS = 7 };
extern const char *const template_letter_names[TEMPLATE_LETTERS];

struct template_letter {
	bool present;              /* there is a .txt, good or not */
	const char *fault;         /* it doesn't parse: "FILE:LINE: message"; NULL while it is good */
	const char *html_fault;    /* the same of the .html */
	struct mustache *subject;  /* NULL where there is a fault, else never */
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
	struct template_folder *behind; /* gives the partials that this one lacks: fr-CA, fr, the top, NULL */
	const char *locale;             /* "" for the top, "fr-CA" */
	struct template_letter letters[TEMPLATE_LETTERS];
	struct template_partial *partials;
};

struct templates {
	atomic_int refs;
	struct arena *arena;
	struct template_folder *folders; /* the top one first */
	struct template_folder built_in;
};

void templates_load_built_in(struct templates *templates);

/* Which of template_letter_names it is; -1 for none. */
int template_letter_index(const char *name, size_t len);

/* One more partial, with its name and nothing else. */
struct template_partial *template_folder_add(struct arena *arena, struct template_folder *folder,
                                             const char *name, size_t len);

/* The partial of that name, here or in a folder behind; NULL for none. */
const struct template_partial *template_folder_partial(const struct template_folder *folder, const char *name,
                                                       bool html);

/* Cuts up a .txt: header lines, an empty line, the body. On a fault `letter` is untouched. */
bool template_letter_parse(const char *text, size_t len, const char *file, struct template_letter *letter,
                           struct error *err) MUST_CHECK;

/* Frees what was parsed; the rest is the arena's. */
void template_letter_clear(struct template_letter *letter);

/* A whole file: at most 1 MiB of valid UTF-8. Codes 66 (missing), 74 (can't be read), 65 (bad text). */
bool template_read_file(const char *path, struct buf *ret, struct error *err) MUST_CHECK;

#endif
