/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_HELPERS_H
#define TEMPLATE_HELPERS_H

#include "template/mustache.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The helpers that templates have, a row each: `date` (template/dates.h), `shorten`, `dial` and
 * `weblink`. Their argument is a struct dates_reader.
 */
extern const struct mustache_helper template_helpers[];
extern const size_t template_helpers_count;

/* Whether a section of that name is a helper, and not a value of the data. */
bool template_helper_is(const char *name);

/*
 * `TEXT|N`: the text in at most N characters, spaces at its ends left out. What is longer is cut
 * between words where that costs a third at most, else between characters (a letter and its accent
 * are one), and ends with "…". Without a number it is as it was.
 */
void shorten_helper(void *arg, const char *text, struct buf *ret);

/*
 * A phone number as people write it, as a link dials it (RFC 3966): its digits, with "+" in front
 * where it has one; capitals are the digits of their keys ("1-800-DUMPSTER"), an extension is said
 * with it ("ext. 12" becomes ";ext=12"). Nothing where it has fewer than three digits.
 */
void dial_helper(void *arg, const char *text, struct buf *ret);

/*
 * The address of a website as a link: as it is where it begins with http:// or https://, with
 * https:// in front where it names no scheme; nothing for any other scheme.
 */
void weblink_helper(void *arg, const char *text, struct buf *ret);

#endif
