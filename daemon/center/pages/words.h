/* SPDX-License-Identifier: MIT */
#ifndef CENTER_PAGES_WORDS_H
#define CENTER_PAGES_WORDS_H

#include "center/entry/call.h"
#include "model/kind.h"
#include "template/mustache.h"

#include <jansson.h>

/*
 * What pages say, in the language of whoever reads them. Each language is a catalogue of
 * daemon/center/words/ (template/catalogue.h), embedded by the build, parsed once, then only read,
 * by all threads. English has all phrases; one that another language lacks is English there.
 *
 * Templates have {{phrase.KEY}} where words are; code gets them here. A phrase is Mustache, so that
 * each language has values where they belong. What functions return is in the request's arena
 * where no other place is named.
 *
 * What the tables of the product name has keys made of these names, and is English as it is named
 * there: a catalogue needs no line for it.
 *
 *     word.held_back                      a fixed word: a state, status, reason, scope, choice
 *     kind.contact kinds.contact          a kind of record, and many of it
 *     field.email  field.sale.balance     a field, and that of one kind
 *     letter.failed                       the letter of a job's state
 *     did.add                             what a change in a history did, with {{kind}}
 */
bool words_prepare(struct error *err) MUST_CHECK; /* parses all catalogues */
void words_free(void);

/* Chooses call->language: the account's own, else the browser's (Accept-Language), else English. To
 * be called once it is known who asks. */
void words_choose(struct call *call);
/* Chooses that of a locale ("de-AT"), where there is one of it. */
void words_choose_locale(struct call *call, const char *locale);
/* "de", for <html lang>. Static. */
const char *words_language(const struct call *call);
/* Whether there is a language of that code. */
bool words_has_language(const char *code);
/* The languages, each by its own name, [{value, name, selected}]; `chosen` may be "". The caller's.
 */
json_t *words_languages(const char *chosen);

/* A phrase as a template, for rendering; NULL where no language has it. */
const struct mustache *words_template(const struct call *call, const char *key);
/* A phrase without values. */
const char *words(const struct call *call, const char *key);
/* A phrase with values; takes over `values`. */
const char *words_fill(const struct call *call, const char *key, json_t *values);
/* KEY.one for 1, else KEY.many, with {{n}}. */
const char *words_count(const struct call *call, const char *key, int64_t n);
/* What a form before has done, by the counts in the page's query: for each row whose name is there
 * its phrase, as words_count(). */
struct words_done {
	const char *name, *key; /* "retried", "mails.retried" */
};
const char *words_done(const struct call *call, const struct words_done *rows, size_t n);

/* word.NAME; `name` itself where there is none. */
const char *words_fixed(const struct call *call, const char *name);
/* The phrase of a name in the tables, as "kinds.contact"; NULL where there is none. */
const char *words_find(const struct call *call, const char *space, const char *name);
/* "contact", "contacts". */
const char *words_kind(const struct call *call, const struct kind *kind);
const char *words_kinds(const struct call *call, const struct kind *kind);
/* With a capital as its first letter. */
const char *words_capital(const struct call *call, const char *text);

#endif
