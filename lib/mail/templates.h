/* SPDX-License-Identifier: MIT */
#ifndef MAIL_TEMPLATES_H
#define MAIL_TEMPLATES_H

#include "base/buf.h"
#include "base/error.h"
#include "mail/mail_tokens.h"
#include "mail/outgoing_mail.h"
#include "mail/template_sources.h"
#include "model/settings.h"
#include "template/dates.h"

#include <stdbool.h>

/*
 * All templates of `[mail] templates` and the catalogues with their words (template/catalogue.h),
 * parsed once, immutable, shared by the mailers' threads. A reload makes a new set. The built-in
 * ones (text only, English) are always there behind them.
 *
 *      a reader of fr-CA gets     from the first of these that there is
 *      the template of a mail     fr-CA/STATE.txt, fr/STATE.txt, STATE.txt, built in
 *      a phrase in it             fr-CA.ini, fr.ini, en.ini, built in
 */
struct templates;

/* Called for each template or line of a catalogue that doesn't parse, each partial and phrase that
 * isn't there, each phrase that no template knows: "FILE:LINE: message". */
typedef void templates_fault(void *arg, const char *text);

/* A missing directory is a fault too; NULL for none. Never NULL: what is broken is left to the
 * built-in ones. `from` is `[mail] from`, already checked. `ret_faults` counts. */
struct templates *templates_load(const char *directory, const char *from, templates_fault *fault,
                                 void *arg, int *ret_faults);
/* Those of `[mail] templates`. A configured folder has to exist; the default one doesn't. */
struct templates *templates_load_set(const struct settings *settings, templates_fault *fault,
                                     void *arg, int *ret_faults);
/* The set that was made of these, again. NULL, code 65, where they lack a built-in one. */
struct templates *templates_restore(const struct template_sources *sources,
                                    struct error *err) MUST_CHECK;
/* What a set was made of, and its digest, by which it is known: as long as the set. */
const struct template_sources *templates_sources(const struct templates *templates);
const unsigned char *templates_digest(const struct templates *templates);
/* Whether only the built-in ones exist, because the folder is missing. */
bool templates_built_in_only(const struct templates *templates);
struct templates *templates_ref(struct templates *templates);   /* thread-safe */
struct templates *templates_unref(struct templates *templates); /* takes NULL; returns NULL */

/*
 * The whole message (RFC 5322, CRLF, 7-bit) for a mail, with placeholders for tokens. `dates` are
 * the calling thread's. A template that breaks falls back to the built-in one: true then too, with
 * `*ret_broken` and the reason in `err`. False only where even that can't be rendered (the context
 * isn't JSON).
 */
bool templates_render(const struct templates *templates, struct dates *dates,
                      const struct outgoing_mail *outgoing, struct buf *ret, bool *ret_broken,
                      struct error *err) MUST_CHECK;

/* The same with what it was composed of, as UTF-8. To be cleared in any case. */
struct templates_mail {
	struct mail_tokens tokens;
	struct buf subject, reply_to, text, html;
	bool has_html;
	struct buf message;
};
bool templates_render_parts(const struct templates *templates, struct dates *dates,
                            const struct outgoing_mail *outgoing, struct templates_mail *ret,
                            bool *ret_broken, struct error *err) MUST_CHECK;
/* Signs what it bears (mail/mail_tokens.h), and composes the message again; without tokens it stays
 * as it is. `outgoing` is what it was rendered from. */
void templates_mail_sign(const struct templates *templates, const struct outgoing_mail *outgoing,
                         const struct token_keys *keys, struct templates_mail *mail);
void templates_mail_clear(struct templates_mail *mail);
/* Brings text and HTML to what their reader gets: no control characters, lines that end in LF. */
void templates_mail_read(struct templates_mail *mail);

/* The names of all mails, the states of a job first: the i-th, NULL beyond the last. And whether
 * there is one of that name. */
const char *templates_mail(size_t i);
bool templates_has_mail(const char *name);

/* Calls `each` with every name ("job.reference") that any template of the set uses, with the file,
 * for `check`. */
void templates_each_name(const struct templates *templates,
                         void (*each)(void *arg, const char *file, const char *name), void *arg);

#endif
