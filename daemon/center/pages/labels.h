/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_LABELS_H
#define CENTER_PAGES_LABELS_H

#include "center/entry/call.h"
#include "model/kind.h"

/*
 * What the kinds' table names, as a label: in the language of the pages, else made of the name. In
 * the request's arena.
 */

/* "Cell phone" for the field cell_phone; the same for one of a kind: the text of a note is labelled
 * "Note". */
const char *label_name(const struct call *call, const char *name);
const char *label_field(const struct call *call, const struct kind *kind,
                        const struct field *field);
/* "Third parties". */
const char *label_kinds(const struct call *call, const struct kind *kind);
/* "Add contact". */
const char *label_add(const struct call *call, const struct kind *kind);
/* "Active", of the words that a field chooses from. */
const char *label_choice(const struct call *call, const char *word);
/* "outside hours", a fixed word in a sentence. */
const char *label_word(const struct call *call, const char *name);

#endif
