/* SPDX-License-Identifier: MIT */
#ifndef MAIL_TEMPLATES_H
#define MAIL_TEMPLATES_H

#include "base/buf.h"
#include "base/error.h"
#include "mail/letter.h"

#include <stdbool.h>

/*
 * All templates of `[mail] templates`, parsed once, immutable, shared by the mailers' threads. A
 * reload makes a new set. The built-in ones (text only) are always there behind them.
 */
struct templates;

/* Called for each template that doesn't parse and each partial that is not there: "FILE:LINE: message". */
typedef void templates_fault(void *arg, const char *text);

/* A missing directory is a fault too. Never NULL: what is broken is left to the built-in ones. `ret_faults`
 * counts. */
struct templates *templates_load(const char *directory, templates_fault *fault, void *arg, int *ret_faults);
struct templates *templates_ref(struct templates *templates);   /* thread-safe */
struct templates *templates_unref(struct templates *templates); /* takes NULL; returns NULL */

/*
 * The whole message (RFC 5322, CRLF, 7-bit) for a letter. `from` is `[mail] from`, already checked.
 * A template that breaks falls back to the built-in one: true then too, with `*ret_broken` and the
 * reason in `err`. False only where even that can't be rendered (the context is no JSON).
 */
bool templates_render(const struct templates *templates, const struct letter *letter, const char *from,
                      struct buf *ret, bool *ret_broken, struct error *err) MUST_CHECK;

/* Calls `each` with every name ("job.reference") that any template of the set uses, with the file, for
 * `check`. */
void templates_each_name(const struct templates *templates,
                         void (*each)(void *arg, const char *file, const char *name), void *arg);

#endif
