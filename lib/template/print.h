/* SPDX-License-Identifier: MIT */
#ifndef MAIL_PRINT_H
#define MAIL_PRINT_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

/*
 * Renders any Mustache file with the JSON value in another, for `dispatchctl template render`, and
 * adds the text to `ret`. Partials are the files NAME.txt, with `html` NAME.html, beside `file`; one
 * that is not there prints nothing. `html` escapes. {{#date}} works as in mails, in the data's
 * `customer.timezone` and `customer.locale`, unless the data has a `date` of its own.
 *
 * Faults name file and line: code 66 where a file is missing, 74 where it can't be read, 65 where it
 * is no good; `ret` is then as it was.
 */
bool template_print(const char *file, const char *data_file, bool html, struct buf *ret,
                    struct error *err) MUST_CHECK;

#endif
