/* SPDX-License-Identifier: MIT */
#ifndef MAIL_TEMPLATE_SOURCES_H
#define MAIL_TEMPLATE_SOURCES_H

#include "base/mem.h"
#include "model/rendering.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a set of templates is made of: the files as they were read, the built-in ones too, and
 * `[mail] from`. A set made of the same sources again renders the same, whatever has become of the
 * files since.
 */
#define TEMPLATE_FROM     "from"
#define TEMPLATE_BUILT_IN "built-in/"
struct template_source {
	const char *name; /* "completed.txt", "fr/completed.html", "fr.ini"; TEMPLATE_BUILT_IN and
	                     one such; TEMPLATE_FROM */
	const char *path; /* for faults: "/etc/dispatchd/templates/fr/completed.html" */
	const char *text; /* any bytes, a NUL behind them; NULL: it couldn't be read */
	size_t len;
	const char *fault; /* why it couldn't be read, as FILE: message; else NULL */
};

struct template_sources {
	struct template_source *rows; /* in the order in which they are loaded */
	size_t n, cap;
};

/* The bytes are copied into the arena. */
void template_sources_add(struct template_sources *sources, struct arena *arena, const char *name,
                          const char *path, const char *text, size_t len);

void template_sources_copy(struct template_sources *sources, struct arena *arena,
                           const struct template_source *source);

/* The shipped ones without HTML, and the English words, as they are in the program. */
void template_sources_add_built_in(struct template_sources *sources, struct arena *arena);

/* What a folder has: its templates, those of its locales' folders, its catalogues. A folder that
 * can't be read counts as a source that couldn't, named "". */
void template_sources_read(struct template_sources *sources, struct arena *arena,
                           const char *directory);

/* The source that a reader of `locale` gets of a mail: "fr-CA/completed.txt", "fr/completed.txt",
 * "completed.txt", the built-in one; of the HTML, which lies beside that, with `html`. NULL where
 * there is none. */
const struct template_source *template_sources_find(const struct template_sources *sources,
                                                    const char *mail, const char *locale,
                                                    bool html);

/* A source as a name and a value, to be kept: the name of one that couldn't be read has
 * TEMPLATE_UNREADABLE before it, and its value is why. Texts of names are the source's or in the
 * arena. */
#define TEMPLATE_UNREADABLE "unreadable/"
const char *template_source_key(const struct template_source *source, struct arena *arena);
const char *template_source_value(const struct template_source *source, size_t *ret_len);
void template_sources_add_kept(struct template_sources *sources, struct arena *arena,
                               const char *key, const char *value, size_t len);

/* The same for the same sources in the same order, wherever they lie. */
void template_sources_digest(const struct template_sources *sources,
                             unsigned char ret[RENDERING_DIGEST_SIZE]);

/* Whether a name is that of a folder or a catalogue of a locale: "fr", "fr-CA", "zh-Hant-TW", with
 * `_` too. */
bool template_is_locale(const char *name, size_t len);

#endif
