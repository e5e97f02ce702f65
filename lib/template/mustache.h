/* SPDX-License-Identifier: MIT */
#ifndef TEMPLATE_MUSTACHE_H
#define TEMPLATE_MUSTACHE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/jsonview.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Mustache as the public specification (mustache.github.io, its modules comments, interpolation,
 * sections, inverted, partials) defines it; tags that set delimiters are rejected. A template is
 * parsed once and never changed: any number of threads may render it.
 *
 * These are false in a section: an unknown name, null, false, an empty list and an empty text.
 * Objects and lists print as nothing.
 */
struct mustache;

/*
 * Parses `len` bytes. `file` and `first_line` (1 for a whole file) are for messages, which begin
 * with "FILE:LINE: ". NULL on a fault (code 65).
 */
struct mustache *mustache_parse(const char *text, size_t len, const char *file, int first_line,
                                struct error *err) MUST_CHECK;
struct mustache *mustache_free(struct mustache *template); /* takes NULL; returns NULL */

/* The same for many small ones: it lives in the caller's arena and ends with it, without
 * mustache_free(). */
struct mustache *mustache_parse_in(struct arena *arena, const char *text, size_t len,
                                   const char *file, int first_line, struct error *err) MUST_CHECK;

/*
 * A section whose content, once rendered, goes through a function: `call` adds to `ret` what is
 * printed in its place. A helper's name wins over a member of the data.
 */
struct mustache_helper {
	const char *name;
	void (*call)(void *arg, const char *text, struct buf *ret);
};

struct mustache_options {
	bool escape; /* & < > " in {{name}} become entities */
	/* Finds the template of {{> name}}; NULL prints nothing. It stays the callee's. */
	const struct mustache *(*partial)(void *arg, const char *name);
	void *partial_arg;
	/*
	 * Finds the template that {{name}} means if it isn't a value of the data; NULL if it is. It
	 * stays the callee's. The specification's module for this is
	 * ~lambdas: the text is rendered where the name is, with the data at hand, and escaped as a
	 * value would be;
	 * {{{name}}} escapes nothing. What it includes by {{> name}} keeps its markup. Sections
	 * never ask.
	 */
	const struct mustache *(*lambda)(void *arg, const char *name);
	void *lambda_arg;
	const struct mustache_helper *helpers;
	size_t n_helpers;
	void *helper_arg;
	size_t max_size; /* of the output, in bytes; 0: MUSTACHE_SIZE_MAX */
};

enum {
	MUSTACHE_NESTING_MAX = 64,  /* sections in sections of one template */
	MUSTACHE_PARTIALS_MAX = 32, /* partials and lambdas in one another */
	MUSTACHE_STEPS_MAX =
	        4 * 1000 * 1000, /* what a rendering may take, in pieces of templates */
	MUSTACHE_SIZE_MAX = 8 * 1024 * 1024,
};

/* Adds to `ret`. On a fault (a limit met; code 65, "FILE:LINE: …") `ret` holds what was rendered so
 * far. The second is for data that jansson has read. */
bool mustache_render_view(const struct mustache *template, const struct jsonview *context,
                          const struct mustache_options *options, struct buf *ret,
                          struct error *err) MUST_CHECK;
bool mustache_render(const struct mustache *template, const json_t *context,
                     const struct mustache_options *options, struct buf *ret,
                     struct error *err) MUST_CHECK;

/*
 * Calls `each` for every name that the template reads, with the names of the sections around it,
 * the outermost first. `{{.}}` and partials are left out; a section's own name is read outside of
 * it.
 */
typedef void mustache_name(void *arg, const char *name, const char *const *around, size_t n_around);
void mustache_each_name(const struct mustache *template, mustache_name *each, void *arg);

/* The same for the names of partials; `line` is where it is. */
void mustache_each_partial(const struct mustache *template,
                           void (*each)(void *arg, const char *name, int line), void *arg);
const char *mustache_file(const struct mustache *template);

#endif
