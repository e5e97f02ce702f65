/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_CATALOGUE_H
#define TEMPLATE_CATALOGUE_H

#include "base/mem.h"
#include "template/mustache.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The words of one language, a line a phrase, so that all languages share one set of templates:
 *
 *     # a comment, on a line of its own
 *     completed.title = Your job is complete
 *     completed.job   = Job {{event.job}} was completed {{#date}}{{event.time}}{{/date}}.
 *     colon           = " :"
 *
 * Quotes around a whole phrase keep its spaces.
 *
 * A template has {{phrase.completed.title}} where the words go. In Mustache's terms that is a
 * dotted name whose value is a lambda (module ~lambdas of the specification): its text is rendered
 * in place, with the data at hand, and escaped as a whole. The alternatives are worse:
 *
 *   - a member of the data prints as it is, so a phrase could hold neither a date nor a name,
 *     and each language has them in another place;
 *   - a partial, {{> title}}, isn't escaped, so a phrase would need one spelling for .txt and
 *     one for .html; and phrases would share their names with files.
 *
 * So a phrase is plain text with Mustache in it, the same for both; markup within one comes from a
 * partial: "Call us at {{> phone}}", with phone.txt and phone.html.
 */
struct phrase {
	const char *key; /* "completed.title" */
	int line;
	struct mustache *text; /* NULL only if there is a fault */
	const char *fault;     /* it doesn't parse: "FILE:LINE: message"; NULL while it is good */
};

struct catalogue {
	const char *file;
	struct phrase *phrases; /* in the order of their keys, each there once */
	size_t n_phrases;
};

/* Called for each line that isn't good: "FILE:LINE: message". */
typedef void catalogue_fault(void *arg, const char *text);

/*
 * Parses `len` bytes; `file` is for messages. Never NULL: valid lines are kept, and the first of
 * two phrases with the same key. All of it lives in the arena. `fault` may be NULL.
 */
struct catalogue *catalogue_parse(struct arena *arena, const char *text, size_t len,
                                  const char *file, catalogue_fault *fault, void *arg);

/* NULL if there is none; a NULL catalogue has none. */
const struct phrase *catalogue_find(const struct catalogue *catalogue, const char *key);

/* The key of a name in a template, "completed.title" of "phrase.completed.title"; NULL if the name
 * isn't a phrase's. */
const char *catalogue_key(const char *name);

#endif
