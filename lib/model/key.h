/* SPDX-License-Identifier: MIT */
#ifndef MODEL_KEY_H
#define MODEL_KEY_H

#include "base/error.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Texts by which records are known (numbers, accounts, addresses, names that others refer to), as
 * they come from people, files and spreadsheets. Two that look alike have to be alike.
 */

/* Moves both ends inwards, past white space of any kind that Unicode has (U+00A0, U+2007, U+3000,
 * …). */
void key_trim(const char **text, size_t *len);

/* Whether there is a character that nobody sees: a format character (U+200B, U+200E, U+FEFF,
 * U+00AD, …) or another that is never drawn. *ret is the first one. Bytes that are not UTF-8 don't
 * count. */
bool key_invisible(const char *text, size_t len, unsigned *ret);

/*
 * The key that trimmed, valid UTF-8 spells: white space inside is plain spaces. False (65) where it
 * has an invisible character in it; `name` is what `err` calls it. In the arena.
 */
bool key_clean(const char *name, const char *text, size_t len, struct arena *arena,
               const char **ret, struct error *err) MUST_CHECK;

/*
 * What a spreadsheet made of a key. `="00005"` and `'00005`, by which it is kept from making a
 * number of it, are the text within. A number in scientific notation (1E+05), a formula and an
 * error (#REF!) are refused: the key is lost; where `digits`, a whole number with a decimal point
 * (5.0), too.
 */
bool key_unsheet(const char *name, bool digits, const char **text, size_t *len,
                 struct error *err) MUST_CHECK;

#endif
