/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_PRINT_H
#define TEMPLATE_PRINT_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

struct template_print {
	const char *file;               /* the Mustache file */
	const char *data_file;          /* the JSON that it sees */
	bool html;                      /* escapes; partials are NAME.html */
	void (*complete)(json_t *data); /* adds to the data what all templates find there; NULL for
	                                   nothing */
};

/*
 * Renders any Mustache file with the JSON value in another, for `dispatchctl template render`, and
 * adds the text to `ret`. Partials are the files NAME.txt, with `html` NAME.html, beside `file`;
 * one that is not there prints nothing. {{#date}} works as in mails, in the data's
 * `customer.timezone` and `customer.locale`, unless the data has a `date` of its own. So does
 * {{phrase.KEY}}: the catalogues are LOCALE.ini, those of shorter locales and en.ini, beside
 * `file`, then in the folder above it.
 *
 * Faults name file and line: code 66 if a file is missing, 74 if it can't be read, 65 if it is
 * broken; `ret` is then unchanged.
 */
bool template_print(const struct template_print *print, struct buf *ret,
                    struct error *err) MUST_CHECK;

#endif
